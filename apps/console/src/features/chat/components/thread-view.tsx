import { Stack } from '@mantine/core';
import { memo } from 'react';
import type { AnswerSettings } from '../chat-actions.js';
import type { Thread, Turn } from '../thread.js';
import { useChatActions } from '../use-chat-actions.js';
import { AnswerView } from './answer-view.js';
import classes from './chat.module.css';
import { ComparisonView } from './comparison-view.js';

export interface ThreadViewProps {
  conversationId: string;
  thread: Thread;
  settings: AnswerSettings;
}

export function ThreadView({ conversationId, thread, settings }: ThreadViewProps) {
  return (
    <Stack gap="xl" role="log" aria-label="Conversation">
      {thread.map((turn) => (
        <TurnView key={turn.key} conversationId={conversationId} turn={turn} settings={settings} />
      ))}
    </Stack>
  );
}

interface TurnViewProps {
  conversationId: string;
  turn: Turn;
  settings: AnswerSettings;
}

/** Turns that did not change are not drawn again while another one streams. */
const TurnView = memo(
  function TurnView({ conversationId, turn, settings }: TurnViewProps) {
    const actions = useChatActions();
    const shown = turn.tries[turn.shown];
    return (
      <Stack gap="md">
        <div className={classes.question} role="article" aria-label="Your message">
          {turn.prompt}
        </div>
        {turn.comparing && <ComparisonView conversationId={conversationId} turn={turn} />}
        {!turn.comparing && shown && (
          <AnswerView
            key={shown.key}
            answer={shown}
            position={{ index: turn.shown, count: turn.tries.length }}
            onShow={(index) => actions.show(conversationId, turn, index)}
            onTryAgain={() => actions.tryAgain(conversationId, turn, settings)}
            onFeedback={(feedback) => actions.addFeedback(conversationId, shown.key, feedback)}
          />
        )}
      </Stack>
    );
  },
  (before, after) =>
    before.turn === after.turn &&
    before.settings.model === after.settings.model &&
    before.settings.temperature === after.settings.temperature &&
    before.settings.retrieval === after.settings.retrieval,
);
