import { channels } from '@attune/contracts';
import { Notifications, WebhookRepository } from '@attune/persistence';
import type { Logger } from '@attune/platform';
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { BackgroundWork } from '../core/background-work.js';
import { LOGGER } from '../core/tokens.js';
import { WebhookSender } from './webhook-sender.js';

const AT_ONCE = 8;

/** Brings events from the outbox to their endpoints; each goes out once, whichever gateway takes it. */
@Injectable()
export class WebhookDispatcher implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly sending: BackgroundWork;

  constructor(
    @Inject(LOGGER) logger: Logger,
    private readonly notifications: Notifications,
    private readonly webhooks: WebhookRepository,
    private readonly sender: WebhookSender,
  ) {
    const work = (stopping: AbortSignal) => this.sendDue(stopping);
    this.sending = new BackgroundWork({ name: 'sending webhooks', logger, work });
  }

  onModuleInit(): void {
    this.notifications.listen(channels.webhookDue, () => this.sending.wake());
  }

  onApplicationBootstrap(): void {
    this.sending.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sending.stop();
  }

  private async sendDue(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const due = await this.webhooks.claim(AT_ONCE);
      if (due.length === 0) return;
      await Promise.all(due.map((delivery) => this.sender.deliver(delivery)));
    }
  }
}
