import { Button, Center, Loader, Stack, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useSyncExternalStore } from 'react';
import { errorSentence } from '../../../lib/api-client.js';
import { readApiKey, subscribeApiKey } from '../../../lib/api-key.js';
import { sessionQuery } from '../api/get-session.js';
import { SessionContext } from '../session-context.js';
import { SignIn } from './sign-in.js';

/** Shows its children to whom the gateway knows, and the sign-in page to everyone else. */
export function SessionGate({ children }: { children: ReactNode }) {
  const apiKey = useSyncExternalStore(subscribeApiKey, readApiKey);
  const queryClient = useQueryClient();
  // Nothing one person has read is left for the next.
  useEffect(() => {
    if (apiKey === null) queryClient.clear();
  }, [apiKey, queryClient]);
  return apiKey === null ? <SignIn /> : <KnownKey>{children}</KnownKey>;
}

function KnownKey({ children }: { children: ReactNode }) {
  const session = useQuery(sessionQuery());
  if (session.data) return <SessionContext value={session.data}>{children}</SessionContext>;
  return (
    <Center h="100dvh">
      {session.isError ? (
        <Stack align="center">
          <Text role="alert">{errorSentence(session.error)}</Text>
          <Button onClick={() => void session.refetch()} loading={session.isFetching}>
            Try again
          </Button>
        </Stack>
      ) : (
        <Loader type="dots" aria-label="Signing in" />
      )}
    </Center>
  );
}
