import type { WebhookEvent, WebhookEventType } from '@attune/contracts';
import { WebhookRepository, type Delivery, type WebhookEndpoint } from '@attune/persistence';
import { createId, InvalidRequestError, messageOf } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { seconds } from '../core/seconds.js';

const ANSWER_WITHIN_MS = 15_000;
const FIRST_RETRY_SECONDS = 5;
const LONGEST_RETRY_SECONDS = 6 * 3_600;
/** With the doubling waits between them, these last for three days. */
const MOST_ATTEMPTS = 24;

/** Sends signed events: https://www.standardwebhooks.com, checked by `openai.webhooks.unwrap()`. */
@Injectable()
export class WebhookSender {
  constructor(private readonly webhooks: WebhookRepository) {}

  /** Sends an event and notes how that went. @returns whether the endpoint took it */
  async deliver(delivery: Delivery): Promise<boolean> {
    const { id, eventId, type, subjectId, createdAt, url, secrets, attempts } = delivery;
    try {
      const status = await post(url, secrets, event(eventId, type, subjectId, createdAt));
      if (status < 200 || status > 299) throw new Error(`the endpoint answered ${status}`);
      await this.webhooks.delivered(id);
      return true;
    } catch (error) {
      await this.webhooks.failed(id, messageOf(error).slice(0, 500), retrySeconds(attempts));
      return false;
    }
  }

  /** @returns the status the endpoint answered with. @throws InvalidRequestError when it took nothing */
  async sendSample(endpoint: WebhookEndpoint, type: WebhookEventType): Promise<number> {
    const sample = event(createId('evt'), type, 'sample', new Date());
    const status = await post(endpoint.url, [endpoint.secret], sample).catch((error: unknown) => {
      throw new InvalidRequestError(`\`${endpoint.url}\` could not be reached: ${messageOf(error)}.`, { cause: error });
    });
    if (status >= 200 && status < 300) return status;
    throw new InvalidRequestError(`\`${endpoint.url}\` answered ${status}; an endpoint must answer 2xx.`);
  }
}

/** 5 s, 10 s, 20 s … 6 h; null when it was tried often enough. */
export function retrySeconds(attempts: number): number | null {
  if (attempts >= MOST_ATTEMPTS) return null;
  return Math.min(FIRST_RETRY_SECONDS * 2 ** (attempts - 1), LONGEST_RETRY_SECONDS);
}

const event = (id: string, type: WebhookEventType, subjectId: string, createdAt: Date): WebhookEvent => ({
  id,
  object: 'event',
  created_at: seconds(createdAt),
  type,
  data: { id: subjectId },
});

async function post(url: string, secrets: string[], body: WebhookEvent): Promise<number> {
  const payload = JSON.stringify(body);
  const now = new Date();
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    headers: {
      'content-type': 'application/json',
      'user-agent': 'attune-webhooks',
      'webhook-id': body.id,
      'webhook-timestamp': String(seconds(now)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(body.id, now, payload)).join(' '),
    },
    body: payload,
  });
  await response.body?.cancel();
  return response.status;
}
