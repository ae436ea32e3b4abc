import type { Feedback, FeedbackRequest } from '@attune/contracts';
import { Button, Group, Text, Textarea } from '@mantine/core';
import { getHotkeyHandler } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { errorSentence } from '../../../lib/api-client.js';
import { sendFeedback } from '../api/send-feedback.js';

export interface FeedbackFormProps {
  label: string;
  description: string;
  initial: string;
  submitLabel: string;
  /** A text that is not worth sending. */
  unchanged?: string;
  toRequest: (text: string) => FeedbackRequest;
  onDone: (feedback: Feedback) => void;
  onCancel: () => void;
}

/** A text about an answer: Ctrl+Enter sends, Escape leaves. What was written stays when sending fails. */
export function FeedbackForm(props: FeedbackFormProps) {
  const [text, setText] = useState(props.initial);
  const send = useMutation({ mutationFn: sendFeedback, onSuccess: props.onDone });
  const worthSending = text.trim() !== '' && text !== props.unchanged;
  const submit = () => {
    if (worthSending && !send.isPending) send.mutate(props.toRequest(text.trim()));
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    submit();
  };
  return (
    <form onSubmit={onSubmit}>
      <Textarea
        label={props.label}
        description={props.description}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={getHotkeyHandler([
          ['mod+Enter', submit],
          ['Escape', props.onCancel],
        ])}
        autosize
        minRows={2}
        maxRows={16}
        autoFocus
      />
      {send.isError && (
        <Text c="red" size="sm" role="alert" mt={6}>
          {errorSentence(send.error)}
        </Text>
      )}
      <Group gap="xs" mt="xs">
        <Button type="submit" size="xs" loading={send.isPending} disabled={!worthSending}>
          {props.submitLabel}
        </Button>
        <Button size="xs" variant="subtle" color="gray" onClick={props.onCancel}>
          Cancel
        </Button>
        <Text size="xs" c="dimmed">
          Ctrl+Enter sends
        </Text>
      </Group>
    </form>
  );
}
