import { useState } from 'react';

/** What is being written, kept in this browser until it is sent. */
export function useDraft(conversationId: string | null): [string, (text: string) => void] {
  const key = `attune.draft.${conversationId ?? 'new'}`;
  const [draft, setDraft] = useState(() => localStorage.getItem(key) ?? '');
  const change = (text: string) => {
    setDraft(text);
    if (text === '') localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  };
  return [draft, change];
}
