import { Alert, Anchor, Button, Center, Code, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { Logo } from '../../../components/ui/logo.js';
import { errorSentence } from '../../../lib/api-client.js';
import { writeApiKey } from '../../../lib/api-key.js';
import { checkApiKey } from '../api/get-session.js';

export function SignIn() {
  const [text, setText] = useState('');
  const [helpShown, setHelpShown] = useState(false);
  const signIn = useMutation({ mutationFn: checkApiKey, onSuccess: (_, key) => writeApiKey(key) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const key = text.trim();
    if (key !== '') signIn.mutate(key);
  };
  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper component="form" onSubmit={submit} withBorder p="xl" w="100%" maw={420} radius="lg">
        <Stack>
          <Logo size={40} />
          <div>
            <Title order={1}>Sign in to Attune</Title>
            <Text c="dimmed" size="sm" mt={4}>
              Your API key opens the chat and what your role may do.
            </Text>
          </div>
          <PasswordInput
            label="API key"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autoComplete="current-password"
            autoFocus
            data-autofocus
          />
          {signIn.isError && (
            <Alert color="red" role="alert">
              {errorSentence(signIn.error)}
            </Alert>
          )}
          <Button type="submit" loading={signIn.isPending} disabled={text.trim() === ''} fullWidth>
            Sign in
          </Button>
          {helpShown ? (
            <Text size="sm" c="dimmed">
              The first admin key was printed by <Code>npm start</Code> when it ran for the first time. With it, more
              users and keys are made on the page “Keys”.
            </Text>
          ) : (
            <Anchor component="button" type="button" size="sm" ta="left" onClick={() => setHelpShown(true)}>
              Where do I find a key?
            </Anchor>
          )}
        </Stack>
      </Paper>
    </Center>
  );
}
