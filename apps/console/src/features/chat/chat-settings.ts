import { useLocalStorage } from '@mantine/hooks';

/** How this browser asks for answers. */
export interface ChatSettings {
  /** Null: the first model the gateway serves. */
  model: string | null;
  temperature: number;
  /** Whether answers may be grounded in documents. */
  retrieval: boolean;
  /** Whether each question gets two answers to choose from. */
  compare: boolean;
}

const defaults: ChatSettings = { model: null, temperature: 0.5, retrieval: true, compare: false };

export function useChatSettings() {
  const [stored, setStored] = useLocalStorage<ChatSettings>({
    key: 'attune.chat-settings',
    defaultValue: defaults,
    getInitialValueInEffect: false,
  });
  const settings = { ...defaults, ...stored };
  const change = (part: Partial<ChatSettings>) => setStored({ ...settings, ...part });
  return { settings, change };
}
