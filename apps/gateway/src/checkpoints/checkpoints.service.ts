import type { CheckpointView, ListBody, PromotionView } from '@attune/contracts';
import { CheckpointRepository, type Promotion } from '@attune/persistence';
import { ConflictError, messageOf, UnavailableError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { list, page } from '../core/list.js';
import { EventBus } from '../core/events.js';
import { ModelPlaces } from '../inference/model-places.js';
import { ServedModel } from '../inference/served-model.js';
import { BASE, baseView, checkpointView, promotionView } from './checkpoint.view.js';
import { LiveWatcher } from './live-watcher.js';

/** Which weights there are and which of them answer. */
@Injectable()
export class CheckpointsService {
  constructor(
    private readonly checkpoints: CheckpointRepository,
    private readonly watcher: LiveWatcher,
    private readonly model: ServedModel,
    private readonly places: ModelPlaces,
    private readonly events: EventBus,
  ) {}

  /** Newest first; the base weights, which everything descends from, stand last. */
  async list(limit: number): Promise<ListBody<CheckpointView>> {
    const rows = await this.checkpoints.list(limit + 1);
    const { checkpoint } = await this.checkpoints.live();
    const promotions = await this.checkpoints.promotions(1000);
    const base = baseView({
      weightsDigest: this.model.baseFingerprint,
      created: this.model.created,
      live: checkpoint === null,
      promoted: promotions.find((promotion) => promotion.checkpointId === null)?.createdAt ?? null,
    });
    return list([...rows.slice(0, limit).map(checkpointView), base], rows.length > limit);
  }

  async promotions(limit: number): Promise<ListBody<PromotionView>> {
    return page((await this.checkpoints.promotions(limit + 1)).map(promotionView), limit);
  }

  async promote(caller: Caller, id: string, reason: string | undefined): Promise<PromotionView> {
    const target = id === BASE ? null : id;
    return this.applied(await this.switchTo(target, caller, reason ?? 'promoted by hand'));
  }

  /** One step back. @throws ConflictError when nothing was promoted that could be taken back */
  async rollback(caller: Caller, reason: string | undefined): Promise<PromotionView> {
    const target = await this.checkpoints.rollbackTarget();
    if (!target.available) throw new ConflictError('The base weights are live; there is nothing to roll back to.');
    return this.applied(await this.switchTo(target.checkpointId, caller, reason ?? 'rolled back by hand'));
  }

  /** @throws ConflictError also for a checkpoint of base weights that this gateway cannot serve */
  private async switchTo(id: string | null, { userName }: Caller, reason: string): Promise<Promotion> {
    if (id !== null) await this.places.under(await this.checkpoints.get(id));
    return this.checkpoints.promote(id, userName, reason);
  }

  /**
   * This gateway need not wait for its own notification: when the answer is out, new chats take the weights.
   * @throws UnavailableError when the promotion stands, but the engine does not serve it yet
   */
  private async applied(promotion: Promotion): Promise<PromotionView> {
    const name = promotion.checkpointId ?? BASE;
    this.events.emit('checkpoint.promoted', { checkpointId: name });
    await this.watcher.refresh().catch((error: unknown) => {
      throw new UnavailableError(
        `\`${name}\` is promoted, but answers still come from the weights before it: ${messageOf(error)}. The gateway goes on trying by itself; do not promote again.`,
        { code: 'weights_not_switched', cause: error },
      );
    });
    return promotionView(promotion);
  }
}
