import type { ChatMessage, Citation, ToolCall } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import {
  bigint,
  integer,
  json,
  optionalJson,
  optionalReal,
  optionalText,
  optionalTime,
  text,
  timeOfInsert,
} from './columns.js';

export type CompletionSource = 'chat' | 'realtime' | 'responses' | 'completions';
/** `lost`: the gateway died before it could close the row. */
export type CompletionStatus = 'open' | 'done' | 'cancelled' | 'failed' | 'lost';

/** One answer: opened before its first token leaves, closed when its last one has. */
@Entity('completion')
export class Completion {
  @PrimaryColumn(text) id!: string;
  @Column(text) conversationId!: string;
  @Column(text) userId!: string;
  @Column(optionalText) apiKeyId!: string | null;
  /** The gateway that answers. */
  @Column(optionalText) instanceId!: string | null;
  @Column(optionalText) regenerateOf!: string | null;
  @Column(text) source!: CompletionSource;
  @Column(text) model!: string;
  /** The client's messages; what retrieval added is in `citations` and in the token ids. */
  @Column(json) messages!: ChatMessage[];
  @Column({ type: 'integer', array: true }) promptTokenIds!: number[];
  @Column(json) sampling!: object;
  @Column({ ...bigint, nullable: true }) seed!: number | null;
  @Column({ type: 'text', default: 'open' }) status!: CompletionStatus;
  @Column({ ...text, default: '' }) answer!: string;
  @Column({ type: 'integer', array: true, default: () => `'{}'` }) answerTokenIds!: number[];
  /** Called instead of, or beside, saying `answer`. */
  @Column(optionalJson) toolCalls!: ToolCall[] | null;
  /** Natural logs at temperature 1, one per answer token (single precision). */
  @Column({ type: 'real', array: true, default: () => `'{}'` }) answerLogProbs!: number[];
  @Column(optionalText) stopReason!: string | null;
  @Column(optionalText) error!: string | null;
  @Column(optionalText) weightsDigest!: string | null;
  @Column(optionalText) checkpointId!: string | null;
  @Column({ ...json, default: () => `'[]'` }) citations!: Citation[];
  @Column({ ...integer, default: 0 }) promptTokens!: number;
  @Column({ ...integer, default: 0 }) cachedTokens!: number;
  @Column({ ...integer, default: 0 }) completionTokens!: number;
  @Column(optionalReal) queueMs!: number | null;
  @Column(optionalReal) prefillMs!: number | null;
  @Column(optionalReal) ttftMs!: number | null;
  @Column(optionalReal) totalMs!: number | null;
  /** The client's own notes, and whether its list of completions shows the row. */
  @Column({ ...json, default: () => `'{}'` }) metadata!: Record<string, string>;
  @Column({ type: 'boolean', default: false }) stored!: boolean;
  /** Of several answers to one request: the first one's id, and which one this is. */
  @Column(optionalText) groupId!: string | null;
  @Column({ ...integer, default: 0 }) choiceIndex!: number;
  @Column(timeOfInsert) openedAt!: Date;
  @Column(optionalTime) closedAt!: Date | null;
}
