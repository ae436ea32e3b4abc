import { useParams } from 'react-router';
import { ChatPage } from '../../features/chat/components/chat-page.js';

/** A new conversation at `/`, an earlier one at `/c/{id}`. */
export function Component() {
  const { conversationId } = useParams();
  return <ChatPage key={conversationId ?? 'new'} conversationId={conversationId ?? null} />;
}
