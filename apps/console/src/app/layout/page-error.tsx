import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { useRouteError } from 'react-router';
import { errorSentence } from '../../lib/api-client.js';

/** Also reached when a new version of the page replaced the chunk this one asks for: loading again helps. */
export function PageError() {
  const error = useRouteError();
  return (
    <Center h="100dvh" p="md">
      <Stack align="center" role="alert">
        <Title order={1}>This page broke</Title>
        <Text c="dimmed">{errorSentence(error)}</Text>
        <Button onClick={() => window.location.reload()}>Load it again</Button>
      </Stack>
    </Center>
  );
}
