import { Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from 'react-router';
import { notifyError } from '../../../components/ui/notify.js';
import { errorSentence } from '../../../lib/api-client.js';
import { queryKeys } from '../../../lib/query-keys.js';
import { conversationsQuery, deleteConversation, renameConversation } from '../api/conversations.js';
import { ConversationRow } from './conversation-row.js';

export function ConversationList() {
  const conversations = useQuery(conversationsQuery());
  const { conversationId } = useParams();
  const { rename, remove } = useConversationChanges(conversationId);
  if (conversations.isError) return <Notice>{errorSentence(conversations.error)}</Notice>;
  if (!conversations.data) return null;
  if (conversations.data.length === 0) return <Notice>Your conversations will stand here.</Notice>;
  return (
    <Stack gap={1} component="nav" aria-label="Conversations">
      {conversations.data.map((conversation) => (
        <ConversationRow
          key={conversation.id}
          conversation={conversation}
          current={conversation.id === conversationId}
          onRename={(title) => rename.mutate({ id: conversation.id, title })}
          onDelete={() => remove.mutate(conversation.id)}
        />
      ))}
    </Stack>
  );
}

function useConversationChanges(currentId: string | undefined) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const refresh = () => void queryClient.invalidateQueries({ queryKey: queryKeys.conversations });
  const rename = useMutation({ mutationFn: renameConversation, onError: notifyError, onSettled: refresh });
  const remove = useMutation({
    mutationFn: deleteConversation,
    onSuccess: (_, id) => {
      queryClient.removeQueries({ queryKey: queryKeys.thread(id) });
      if (id === currentId) void navigate('/');
    },
    onError: notifyError,
    onSettled: refresh,
  });
  return { rename, remove };
}

function Notice({ children }: { children: string }) {
  return (
    <Text size="sm" c="dimmed" px={8} py="xs">
      {children}
    </Text>
  );
}
