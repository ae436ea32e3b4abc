import {
  createWebhookRequest,
  listWebhooksQuery,
  rotateSecretRequest,
  testWebhookRequest,
  updateWebhookRequest,
  webhookEventType,
  type CreateWebhookRequest,
  type CursorPage,
  type PageQuery,
  type RotateSecretRequest,
  type TestWebhookRequest,
  type UpdateWebhookRequest,
  type WebhookEndpointObject,
  type WebhookEndpointWithSecret,
  type WebhookTestResult,
} from '@attune/contracts';
import { WebhookRepository, type WebhookEndpoint } from '@attune/persistence';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { Roles } from '../auth/caller.js';
import { cursorPage } from '../core/list.js';
import { seconds } from '../core/seconds.js';
import { Validated } from '../core/validate.js';
import { WebhookSender } from './webhook-sender.js';

/** https://platform.openai.com/docs/guides/webhooks */
@Controller('v1')
@Roles('admin')
export class WebhooksController {
  constructor(
    private readonly webhooks: WebhookRepository,
    private readonly sender: WebhookSender,
  ) {}

  @Post('webhook_endpoints')
  @HttpCode(200)
  async create(@Body(new Validated(createWebhookRequest)) body: CreateWebhookRequest) {
    return withSecret(await this.webhooks.create(body));
  }

  @Get('webhook_endpoints')
  async list(@Query(new Validated(listWebhooksQuery)) query: PageQuery): Promise<CursorPage<WebhookEndpointObject>> {
    const { rows, hasMore } = await this.webhooks.list(query);
    return cursorPage(rows.map(view), hasMore);
  }

  @Get('webhook_endpoints/:id')
  async get(@Param('id') id: string): Promise<WebhookEndpointObject> {
    return view(await this.webhooks.get(id));
  }

  @Post('webhook_endpoints/:id')
  @HttpCode(200)
  async update(@Param('id') id: string, @Body(new Validated(updateWebhookRequest)) body: UpdateWebhookRequest) {
    return view(await this.webhooks.update(id, body));
  }

  @Delete('webhook_endpoints/:id')
  async remove(@Param('id') id: string) {
    await this.webhooks.remove(id);
    return { id, object: 'webhook_endpoint.deleted', deleted: true };
  }

  @Post('webhook_endpoints/:id/rotate_secret')
  @HttpCode(200)
  async rotate(@Param('id') id: string, @Body(new Validated(rotateSecretRequest)) body: RotateSecretRequest) {
    return withSecret(await this.webhooks.rotateSecret(id, body.keep_old_secret_active_for_24_hours));
  }

  @Post('webhook_endpoints/:id/test')
  @HttpCode(200)
  async test(
    @Param('id') id: string,
    @Body(new Validated(testWebhookRequest)) body: TestWebhookRequest,
  ): Promise<WebhookTestResult> {
    const endpoint = await this.webhooks.get(id);
    const status = await this.sender.sendSample(endpoint, body.event_type);
    return {
      object: 'webhook_endpoint.test',
      webhook_endpoint_id: id,
      event_type: body.event_type,
      status_code: status,
      success: true,
    };
  }

  @Get('webhook_event_types')
  eventTypes() {
    return { object: 'list', data: webhookEventType.options };
  }
}

const view = (endpoint: WebhookEndpoint): WebhookEndpointObject => ({
  id: endpoint.id,
  object: 'webhook_endpoint',
  created_at: seconds(endpoint.createdAt),
  updated_at: seconds(endpoint.updatedAt),
  name: endpoint.name,
  url: endpoint.url,
  event_types: endpoint.eventTypes,
  signing_secret_hint: `whsec_…${endpoint.secret.slice(-4)}`,
});

const withSecret = (endpoint: WebhookEndpoint): WebhookEndpointWithSecret => ({
  ...view(endpoint),
  signing_secret: endpoint.secret,
});
