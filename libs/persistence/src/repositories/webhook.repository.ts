import type { CreateWebhookRequest, PageQuery, UpdateWebhookRequest, WebhookEventType } from '@attune/contracts';
import { createId, NotFoundError } from '@attune/platform';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { WebhookEndpoint } from '../entities/index.js';
import { inOrder, keyset } from './keyset.js';

/** An event on its way to one endpoint. */
export interface Delivery {
  id: string;
  eventId: string;
  type: WebhookEventType;
  subjectId: string;
  createdAt: Date;
  /** This one included. */
  attempts: number;
  url: string;
  /** The one or two secrets that are valid now. */
  secrets: string[];
}

/** Who has not answered by then is asked again by whichever gateway looks next. */
const CLAIM = `interval '1 minute'`;

/** Endpoints that are told of events, and the events on their way to them. */
export class WebhookRepository {
  constructor(private readonly db: DataSource) {}

  async create(request: CreateWebhookRequest): Promise<WebhookEndpoint> {
    const id = createId('wh');
    const { name, url, event_types: eventTypes } = request;
    await this.db.getRepository(WebhookEndpoint).insert({ id, name, url, eventTypes, secret: newSecret() });
    return this.get(id);
  }

  /** @throws NotFoundError */
  async get(id: string): Promise<WebhookEndpoint> {
    const endpoint = await this.db.getRepository(WebhookEndpoint).findOneBy({ id });
    if (!endpoint) throw new NotFoundError(`There is no webhook endpoint \`${id}\`.`);
    return endpoint;
  }

  async list(query: PageQuery): Promise<{ rows: WebhookEndpoint[]; hasMore: boolean }> {
    const endpoints = this.db.getRepository(WebhookEndpoint).createQueryBuilder('w').where('true');
    return inOrder(await keyset(endpoints, query, 'webhook_endpoint').getMany(), query);
  }

  async update(id: string, change: UpdateWebhookRequest): Promise<WebhookEndpoint> {
    const { event_types: eventTypes, ...columns } = change;
    await this.change(id, { ...columns, ...(eventTypes && { eventTypes }) });
    return this.get(id);
  }

  /** A new secret; the old one stays valid for a day where asked to, so that receivers can change over. */
  async rotateSecret(id: string, keepOld: boolean): Promise<WebhookEndpoint> {
    const { secret } = await this.get(id);
    await this.change(id, {
      secret: newSecret(),
      oldSecret: keepOld ? secret : null,
      oldSecretUntil: keepOld ? () => `clock_timestamp() + interval '1 day'` : null,
    });
    return this.get(id);
  }

  async remove(id: string): Promise<void> {
    await this.get(id);
    await this.db.getRepository(WebhookEndpoint).delete({ id });
  }

  /**
   * Takes events that are due, so that no other gateway sends them at the same time. No work of a `LeasedQueue`: several
   * are taken at once, when they are due and not when they were made, and waits double up to six hours. A claim needs no
   * owner either: who falls silent may send an event twice, which receivers know by its id, and can undo no delivery.
   */
  claim(limit: number): Promise<Delivery[]> {
    return this.db.query(
      `with due as (
        select id from webhook_delivery
        where delivered_at is null and given_up_at is null and next_attempt_at <= clock_timestamp()
        order by next_attempt_at limit $1 for update skip locked
      ), claimed as (
        update webhook_delivery d set attempts = attempts + 1, next_attempt_at = clock_timestamp() + ${CLAIM}
        from due where d.id = due.id returning d.*
      )
      select c.id, c.event_id as "eventId", c.type, c.subject_id as "subjectId", c.created_at as "createdAt",
        c.attempts, w.url,
        array_remove(array[w.secret, case when w.old_secret_until > clock_timestamp() then w.old_secret end], null) as secrets
      from claimed c join webhook_endpoint w on w.id = c.endpoint_id order by c.id`,
      [limit],
    );
  }

  async delivered(id: string): Promise<void> {
    await this.db.query(
      'update webhook_delivery set delivered_at = clock_timestamp(), last_error = null where id = $1',
      [id],
    );
  }

  /** @param retrySeconds until the next attempt; null gives the event up */
  async failed(id: string, error: string, retrySeconds: number | null): Promise<void> {
    await this.db.query(
      `update webhook_delivery set last_error = $2,
         given_up_at = case when $3::float8 is null then clock_timestamp() end,
         next_attempt_at = clock_timestamp() + make_interval(secs => coalesce($3::float8, 0))
       where id = $1`,
      [id, error, retrySeconds],
    );
  }

  private async change(id: string, columns: object): Promise<void> {
    await this.get(id);
    await this.db.getRepository(WebhookEndpoint).update({ id }, { ...columns, updatedAt: () => 'clock_timestamp()' });
  }
}

/** As https://www.standardwebhooks.com writes them. */
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
