const STORAGE_KEY = 'attune.api-key';
const listeners = new Set<() => void>();

/** The key this browser signed in with, or null. */
export function readApiKey(): string | null {
  return localStorage.getItem(STORAGE_KEY);
}

/** Null signs out; every `useApiKey` follows. */
export function writeApiKey(key: string | null): void {
  if (key === null) localStorage.removeItem(STORAGE_KEY);
  else localStorage.setItem(STORAGE_KEY, key);
  for (const listener of listeners) listener();
}

/** Also hears a sign-in or sign-out in another tab. */
export function subscribeApiKey(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', listener);
  };
}
