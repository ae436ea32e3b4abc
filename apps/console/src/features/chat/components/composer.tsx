import type { Model } from '@attune/contracts';
import { ActionIcon, Group, Switch, Text, Textarea, Tooltip } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { IconArrowUp, IconPlayerStopFilled } from '@tabler/icons-react';
import { type KeyboardEvent, useRef, useEffect } from 'react';
import { errorSentence } from '../../../lib/api-client.js';
import type { ChatSettings } from '../chat-settings.js';
import classes from './chat.module.css';
import { SettingsPopover } from './settings-popover.js';

export interface ComposerProps {
  draft: string;
  onDraft: (text: string) => void;
  onSend: () => void;
  onStop: () => void;
  answering: boolean;
  settings: ChatSettings;
  onSettings: (change: Partial<ChatSettings>) => void;
  models: UseQueryResult<Model[]>;
  model: string | null;
}

export function Composer(props: ComposerProps) {
  const { draft, onDraft, onSend, settings, onSettings, models, model } = props;
  const input = useRef<HTMLTextAreaElement>(null);
  // A suggestion that was picked wants to be sent or finished.
  useEffect(() => input.current?.focus(), [draft === '']);
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    onSend();
  };
  return (
    <>
      {models.isError && (
        <Text c="red" size="sm" role="alert" mb={6} px="sm">
          {errorSentence(models.error)}
        </Text>
      )}
      <div className={classes.composer}>
        <Textarea
          ref={input}
          aria-label="Message"
          placeholder="Ask something…"
          value={draft}
          onChange={(event) => onDraft(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          autosize
          minRows={1}
          maxRows={10}
          classNames={{ input: classes.input }}
          autoFocus
        />
        <Group justify="space-between" px={6} wrap="nowrap">
          <Group gap="md" wrap="nowrap">
            <SettingsPopover settings={settings} onChange={onSettings} models={models.data ?? []} model={model} />
            <Tooltip
              label="Each question gets two answers side by side; the one you choose teaches the model"
              multiline
              w={260}
            >
              <Switch
                size="xs"
                label="Compare two answers"
                checked={settings.compare}
                onChange={(event) => onSettings({ compare: event.currentTarget.checked })}
              />
            </Tooltip>
          </Group>
          <SendOrStop {...props} />
        </Group>
      </div>
    </>
  );
}

function SendOrStop({ answering, onStop, onSend, draft, model }: ComposerProps) {
  if (answering) {
    return (
      <Tooltip label="Stop (Esc)">
        <ActionIcon variant="default" size={34} radius="xl" aria-label="Stop answering" onClick={onStop}>
          <IconPlayerStopFilled size={16} />
        </ActionIcon>
      </Tooltip>
    );
  }
  return (
    <Tooltip label="Send (Enter)">
      <ActionIcon
        variant="filled"
        color="teal"
        size={34}
        radius="xl"
        aria-label="Send message"
        disabled={draft.trim() === '' || model === null}
        onClick={onSend}
      >
        <IconArrowUp size={18} />
      </ActionIcon>
    </Tooltip>
  );
}
