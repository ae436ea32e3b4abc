import { z } from 'zod';
import { pageQuery } from './paging.js';

/** What endpoints can be told; https://platform.openai.com/docs/api-reference/webhook-events */
export const webhookEventType = z.enum([
  'batch.completed',
  'batch.failed',
  'batch.expired',
  'batch.cancelled',
  'response.completed',
  'response.failed',
  'response.cancelled',
  'response.incomplete',
  'eval.run.succeeded',
  'eval.run.failed',
  'eval.run.canceled',
  'fine_tuning.job.succeeded',
  'fine_tuning.job.failed',
  'fine_tuning.job.cancelled',
]);
export type WebhookEventType = z.output<typeof webhookEventType>;

const httpUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .describe('Where events are sent by POST.');
const eventTypes = z.array(webhookEventType).min(1);
const name = z.string().min(1).max(256);

/** POST /v1/webhook_endpoints */
export const createWebhookRequest = z.strictObject({ name, url: httpUrl, event_types: eventTypes });
export type CreateWebhookRequest = z.output<typeof createWebhookRequest>;

/** POST /v1/webhook_endpoints/{id} */
export const updateWebhookRequest = createWebhookRequest.partial();
export type UpdateWebhookRequest = z.output<typeof updateWebhookRequest>;

/** POST /v1/webhook_endpoints/{id}/rotate_secret */
export const rotateSecretRequest = z.strictObject({
  keep_old_secret_active_for_24_hours: z.boolean().default(false),
});
export type RotateSecretRequest = z.output<typeof rotateSecretRequest>;

/** POST /v1/webhook_endpoints/{id}/test */
export const testWebhookRequest = z.strictObject({ event_type: webhookEventType });
export type TestWebhookRequest = z.output<typeof testWebhookRequest>;

export const listWebhooksQuery = pageQuery();

/** What is sent; signed as https://www.standardwebhooks.com says. */
export interface WebhookEvent {
  id: string;
  object: 'event';
  created_at: number;
  type: WebhookEventType;
  /** The id of the job, run, batch or response. */
  data: { id: string };
}

export interface WebhookEndpointObject {
  id: string;
  object: 'webhook_endpoint';
  created_at: number;
  updated_at: number;
  name: string;
  url: string;
  event_types: WebhookEventType[];
  signing_secret_hint: string;
}
/** The secret is told when it is made, never again. */
export interface WebhookEndpointWithSecret extends WebhookEndpointObject {
  signing_secret: string;
}
export interface WebhookTestResult {
  object: 'webhook_endpoint.test';
  webhook_endpoint_id: string;
  event_type: WebhookEventType;
  status_code: number;
  success: true;
}
