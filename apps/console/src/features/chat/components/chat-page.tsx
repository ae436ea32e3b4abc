import { Box, Stack } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { QueryView } from '../../../components/ui/query-view.js';
import { newConversationId } from '../../../lib/random-id.js';
import { modelsQuery } from '../api/get-models.js';
import { threadQuery } from '../api/get-thread.js';
import { type ChatSettings, useChatSettings } from '../chat-settings.js';
import { isAnswering } from '../thread.js';
import { useChatActions } from '../use-chat-actions.js';
import { useDraft } from '../use-draft.js';
import { useStickToBottom } from '../use-stick-to-bottom.js';
import classes from './chat.module.css';
import { Composer } from './composer.js';
import { ThreadView } from './thread-view.js';
import { Welcome } from './welcome.js';

/** `conversationId` is null for a conversation that has not begun. */
export function ChatPage({ conversationId }: { conversationId: string | null }) {
  const actions = useChatActions();
  const navigate = useNavigate();
  const { settings, change } = useChatSettings();
  const models = useQuery(modelsQuery());
  const thread = useQuery({ ...threadQuery(conversationId ?? ''), enabled: conversationId !== null });
  const [draft, setDraft] = useDraft(conversationId);
  const { ref, onScroll } = useStickToBottom(thread.data, thread.data?.length ?? 0);

  const model = chosenModel(settings, models.data);
  const answering = thread.data !== undefined && isAnswering(thread.data);
  const answerSettings = { ...settings, model: model ?? '' };
  const stop = () => conversationId !== null && actions.stop(conversationId);
  const send = () => {
    const prompt = draft.trim();
    if (prompt === '' || model === null || answering) return;
    const id = conversationId ?? newConversationId();
    setDraft('');
    actions.send(id, prompt, answerSettings, settings.compare);
    if (conversationId === null) void navigate(`/c/${id}`);
  };
  useHotkeys([['Escape', () => answering && stop()]], []);

  return (
    <Stack h="100%" gap={0} component="main">
      <Box ref={ref} onScroll={onScroll} className={classes.scroll}>
        <div className={classes.column}>
          {conversationId === null ? (
            <Welcome onPick={setDraft} />
          ) : (
            <QueryView query={thread}>
              {(turns) => <ThreadView conversationId={conversationId} thread={turns} settings={answerSettings} />}
            </QueryView>
          )}
        </div>
      </Box>
      <div className={classes.composerColumn}>
        <Composer
          draft={draft}
          onDraft={setDraft}
          onSend={send}
          onStop={stop}
          answering={answering}
          settings={settings}
          onSettings={change}
          models={models}
          model={model}
        />
      </div>
    </Stack>
  );
}

/** The model set by hand while it is served, else the first one served. */
function chosenModel(settings: ChatSettings, models: { id: string }[] | undefined): string | null {
  const served = models?.map((model) => model.id) ?? [];
  return settings.model !== null && served.includes(settings.model) ? settings.model : (served[0] ?? null);
}
