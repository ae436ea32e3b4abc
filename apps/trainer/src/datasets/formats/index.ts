import type { DataFormat } from '../example.js';
import { alpaca } from './alpaca.js';
import { openaiChat } from './openai-chat.js';
import { openaiPreference } from './openai-preference.js';
import { shareGpt } from './sharegpt.js';
import { p3, ranking, reasoning, seedTask } from './tasks.js';
import { judgedConversation, preference, promptCompletion, unpaired } from './trl.js';

/** Every format, the more particular before the more general: the first whose keys a row has is its format. */
export const formats: readonly DataFormat[] = [
  openaiPreference,
  shareGpt,
  judgedConversation,
  openaiChat,
  seedTask,
  alpaca,
  p3,
  unpaired,
  promptCompletion,
  ranking,
  preference,
  reasoning,
];

/** The format of a row, by its keys; undefined when it is none that is known. */
export function formatOf(row: unknown): DataFormat | undefined {
  if (typeof row !== 'object' || row === null) return undefined;
  return formats.find(({ keys }) => keys.every((key) => key in row));
}

/** @throws RangeError when there is none of this name */
export function formatNamed(name: string): DataFormat {
  const format = formats.find((one) => one.name === name);
  if (!format) throw new RangeError(`there is no format "${name}"; known are ${formats.map((f) => f.name).join(', ')}`);
  return format;
}
