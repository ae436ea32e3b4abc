import { SimpleGrid, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import { Logo } from '../../../components/ui/logo.js';
import classes from './chat.module.css';

/** Things a small model does well. */
const suggestions = [
  'What can you do?',
  'What is the capital of Denmark?',
  'Make JSON: name Nora, age 56, city Naples',
  'Hugo has 12 trains and gets 1 more. How many trains does Hugo have? Explain your steps.',
];

export function Welcome({ onPick }: { onPick: (prompt: string) => void }) {
  return (
    <Stack align="center" gap="xl" pt={{ base: 24, sm: 96 }} ta="center">
      <Stack align="center" gap="xs">
        <Logo size={52} />
        <Title order={1} mt="sm">
          What can I do for you?
        </Title>
        <Text c="dimmed" maw={480}>
          Answers are grounded in your documents where they help. What you rate, correct or choose here is reviewed by
          people, and the model learns from it.
        </Text>
      </Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm" w="100%" maw={640}>
        {suggestions.map((prompt) => (
          <UnstyledButton key={prompt} className={classes.suggestion} onClick={() => onPick(prompt)}>
            {prompt}
          </UnstyledButton>
        ))}
      </SimpleGrid>
    </Stack>
  );
}
