import { notifications } from '@mantine/notifications';
import { errorSentence } from '../../lib/api-client.js';

export function notifyDone(message: string): void {
  notifications.show({ message, color: 'teal', autoClose: 3000 });
}

/** Stays longer: it is the server's sentence and wants to be read. */
export function notifyError(error: unknown): void {
  notifications.show({ title: 'That did not work', message: errorSentence(error), color: 'red', autoClose: 10_000 });
}
