import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { ChatActions } from './chat-actions.js';

const actionsOf = new WeakMap<QueryClient, ChatActions>();

/** One for the whole page, so that streams outlive the component that started them. */
export function useChatActions(): ChatActions {
  const queryClient = useQueryClient();
  const actions = actionsOf.get(queryClient) ?? new ChatActions(queryClient);
  actionsOf.set(queryClient, actions);
  return actions;
}
