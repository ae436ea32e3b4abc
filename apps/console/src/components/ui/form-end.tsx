import { Alert, Button, Group } from '@mantine/core';
import { errorSentence } from '../../lib/api-client.js';

export interface FormEndProps {
  /** What the form sends, while it is sent and when it went wrong. */
  sending: { isPending: boolean; error: Error | null };
  /** On the button that sends. */
  label: string;
  disabled?: boolean;
  onCancel: () => void;
}

/** The end of a dialog's form: what went wrong, a way out, and the button that sends. */
export function FormEnd({ sending, label, disabled, onCancel }: FormEndProps) {
  return (
    <>
      {sending.error && (
        <Alert color="red" role="alert">
          {errorSentence(sending.error)}
        </Alert>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={sending.isPending} disabled={disabled}>
          {label}
        </Button>
      </Group>
    </>
  );
}
