import {
  createKeyRequest,
  createUserRequest,
  keyQuotaRequest,
  usageQuery,
  type ApiKeyView,
  type CreatedApiKey,
  type CreateKeyRequest,
  type CreateUserRequest,
  type KeyQuotaRequest,
  type KeyUsageView,
  type ListBody,
  type SessionView,
  type UserView,
} from '@attune/contracts';
import { AccountRepository, UsageRepository, type ApiKey, type DayOfUse, type User } from '@attune/persistence';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { list } from '../core/list.js';
import { seconds, secondsOrNull } from '../core/seconds.js';
import { Validated } from '../core/validate.js';
import { AuthService } from './auth.service.js';
import { KeyQuotas } from './key-quotas.js';
import { CurrentCaller, Roles, type Caller } from './caller.js';

/** Sessions, people and their keys. */
@Controller('api')
export class AccountsController {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly auth: AuthService,
    private readonly usage: UsageRepository,
    private readonly quotas: KeyQuotas,
  ) {}

  @Get('session')
  session(@CurrentCaller() caller: Caller): SessionView {
    const { userId, userName, role, userCreated } = caller;
    return { user: { id: userId, name: userName, role, created: seconds(userCreated) }, key_id: caller.keyId };
  }

  @Get('users')
  @Roles('admin')
  async users(): Promise<ListBody<UserView>> {
    return list((await this.accounts.listUsers()).map(userView));
  }

  @Post('users')
  @Roles('admin')
  async createUser(@Body(new Validated(createUserRequest)) body: CreateUserRequest): Promise<UserView> {
    return userView(await this.accounts.createUser(body));
  }

  @Get('keys')
  @Roles('admin')
  async keys(): Promise<ListBody<ApiKeyView>> {
    return list((await this.accounts.listKeys()).map(keyView));
  }

  /** The only answer that ever holds the secret. */
  @Post('keys')
  @Roles('admin')
  async createKey(@Body(new Validated(createKeyRequest)) body: CreateKeyRequest): Promise<CreatedApiKey> {
    const { key, secret } = await this.accounts.createKey({ userId: body.user_id, name: body.name });
    return { ...keyView(key), secret };
  }

  @Post('keys/:id/quota')
  @Roles('admin')
  @HttpCode(200)
  async setQuota(
    @Param('id') id: string,
    @Body(new Validated(keyQuotaRequest)) body: KeyQuotaRequest,
  ): Promise<ApiKeyView> {
    await this.usage.setQuota(id, {
      ...(body.requests_per_day !== undefined && { requestsPerDay: body.requests_per_day }),
      ...(body.tokens_per_day !== undefined && { tokensPerDay: body.tokens_per_day }),
      ...(body.max_concurrent !== undefined && { maxConcurrent: body.max_concurrent }),
    });
    this.quotas.forget(id);
    return keyView(await this.accounts.getKey(id));
  }

  @Get('usage')
  async use(
    @CurrentCaller() caller: Caller,
    @Query(new Validated(usageQuery)) { days }: { days: number },
  ): Promise<ListBody<KeyUsageView>> {
    const rows = await this.usage.byDay(days, caller.role === 'admin' ? undefined : caller.userId);
    return list(rows.map(usageView));
  }

  @Delete('keys/:id')
  @Roles('admin')
  async revokeKey(@Param('id') id: string): Promise<ApiKeyView> {
    const key = await this.accounts.revokeKey(id);
    this.auth.forgetAll();
    return keyView(key);
  }
}

const userView = (user: User): UserView => ({
  id: user.id,
  name: user.name,
  role: user.role,
  created: seconds(user.createdAt),
});

const keyView = (key: ApiKey): ApiKeyView => ({
  id: key.id,
  user_id: key.userId,
  user_name: key.user.name,
  role: key.user.role,
  name: key.name,
  prefix: key.prefix,
  created: seconds(key.createdAt),
  last_used: secondsOrNull(key.lastUsedAt),
  revoked: secondsOrNull(key.revokedAt),
  requests_per_day: key.requestsPerDay,
  tokens_per_day: key.tokensPerDay,
  max_concurrent: key.maxConcurrent,
});

const usageView = (use: DayOfUse): KeyUsageView => ({
  object: 'key.usage',
  day: use.day,
  key_id: use.keyId,
  key_name: use.keyName,
  user_name: use.userName,
  num_requests: use.requests,
  prompt_tokens: use.promptTokens,
  cached_tokens: use.cachedTokens,
  completion_tokens: use.completionTokens,
});
