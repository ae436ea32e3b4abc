import type { Feedback } from '@attune/contracts';
import { ActionIcon, Group, Text, Tooltip } from '@mantine/core';
import {
  IconMessage2,
  IconPencil,
  IconRefresh,
  IconThumbDown,
  IconThumbDownFilled,
  IconThumbUp,
  IconThumbUpFilled,
} from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { CopyIcon } from '../../../components/ui/copy-icon.js';
import { notifyError } from '../../../components/ui/notify.js';
import { Weights } from '../../../components/ui/weights.js';
import { plural } from '../../../lib/format.js';
import { sendFeedback } from '../api/send-feedback.js';
import type { Try } from '../thread.js';
import type { AnswerForm } from './answer-view.js';
import { TrySwitcher } from './try-switcher.js';

export interface AnswerActionsProps {
  answer: Try;
  position: { index: number; count: number };
  onShow: (index: number) => void;
  onTryAgain: () => void;
  onFeedback: (feedback: Feedback) => void;
  onOpen: (form: AnswerForm) => void;
}

export function AnswerActions({ answer, position, onShow, onTryAgain, onFeedback, onOpen }: AnswerActionsProps) {
  return (
    <Group justify="space-between" gap="xs">
      <Group gap={2} role="toolbar" aria-label="Answer actions">
        {position.count > 1 && <TrySwitcher {...position} onShow={onShow} />}
        {answer.answer !== '' && <CopyIcon text={answer.answer} name="Copy answer" />}
        {answer.completionId !== null && answer.answer !== '' && (
          <>
            <Thumbs answer={answer} onFeedback={onFeedback} onDown={() => onOpen('comment')} />
            <Action name="Comment" icon={<IconMessage2 size={16} />} onClick={() => onOpen('comment')} />
            <Action name="Correct this answer" icon={<IconPencil size={16} />} onClick={() => onOpen('correction')} />
          </>
        )}
        <Action name="Try again" icon={<IconRefresh size={16} />} onClick={onTryAgain} />
      </Group>
      <Group gap={8}>
        {answer.usage && (
          <Text size="xs" c="dimmed">
            {plural(answer.usage.completion_tokens, 'token')}
          </Text>
        )}
        {answer.fingerprint !== null && <Weights digest={answer.fingerprint} />}
      </Group>
    </Group>
  );
}

interface ThumbsProps {
  answer: Try;
  onFeedback: (feedback: Feedback) => void;
  /** After a thumb down: the reason is asked for. */
  onDown: () => void;
}

function Thumbs({ answer, onFeedback, onDown }: ThumbsProps) {
  const given = answer.feedback.findLast((entry) => entry.type === 'thumb')?.value ?? null;
  const rate = useMutation({ mutationFn: sendFeedback, onSuccess: onFeedback, onError: notifyError });
  const give = (value: 'up' | 'down') => {
    if (value === given || rate.isPending) return;
    rate.mutate({ type: 'thumb', completion_id: answer.completionId!, value });
    if (value === 'down') onDown();
  };
  return (
    <>
      <Action
        name="Good answer"
        icon={given === 'up' ? <IconThumbUpFilled size={16} /> : <IconThumbUp size={16} />}
        pressed={given === 'up'}
        onClick={() => give('up')}
      />
      <Action
        name="Bad answer"
        icon={given === 'down' ? <IconThumbDownFilled size={16} /> : <IconThumbDown size={16} />}
        pressed={given === 'down'}
        onClick={() => give('down')}
      />
    </>
  );
}

interface ActionProps {
  name: string;
  icon: ReactNode;
  onClick: () => void;
  pressed?: boolean;
}

function Action({ name, icon, onClick, pressed }: ActionProps) {
  return (
    <Tooltip label={name}>
      <ActionIcon
        size="sm"
        aria-label={name}
        aria-pressed={pressed}
        color={pressed ? 'teal' : 'gray'}
        onClick={onClick}
      >
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
