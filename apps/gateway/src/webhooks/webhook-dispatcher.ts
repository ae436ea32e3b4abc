import { channels } from '@attune/contracts';
import { Notifications, WebhookRepository } from '@attune/persistence';
import { messageOf, type Logger } from '@attune/platform';
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { LOGGER } from '../core/tokens.js';
import { WebhookSender } from './webhook-sender.js';

const AT_ONCE = 8;
/** Retries become due without a notification. */
const LOOK_MS = 5_000;
const FORGET_MS = 3_600_000;

/** Brings events from the outbox to their endpoints; each goes out once, whichever gateway takes it. */
@Injectable()
export class WebhookDispatcher implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly timers: NodeJS.Timeout[] = [];
  private working?: Promise<void>;
  private again = false;
  private stopped = false;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly notifications: Notifications,
    private readonly webhooks: WebhookRepository,
    private readonly sender: WebhookSender,
  ) {}

  onModuleInit(): void {
    this.notifications.listen(channels.webhookDue, () => this.wake());
  }

  onApplicationBootstrap(): void {
    this.timers.push(setInterval(() => this.wake(), LOOK_MS).unref());
    this.timers.push(setInterval(() => void this.webhooks.removeOld().catch(() => undefined), FORGET_MS).unref());
    this.wake();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    this.timers.forEach(clearInterval);
    await this.working;
  }

  private wake(): void {
    this.again = true;
    this.working ??= this.work().finally(() => (this.working = undefined));
  }

  private async work(): Promise<void> {
    try {
      while (this.again && !this.stopped) {
        this.again = false;
        for (let due = await this.webhooks.claim(AT_ONCE); due.length > 0; due = await this.webhooks.claim(AT_ONCE)) {
          await Promise.all(due.map((delivery) => this.sender.deliver(delivery)));
          if (this.stopped) return;
        }
      }
    } catch (error) {
      this.logger.warn({ err: error }, `webhooks not sent yet: ${messageOf(error)}`);
    }
  }
}
