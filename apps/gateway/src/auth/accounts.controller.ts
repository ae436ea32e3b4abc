import {
  createKeyRequest,
  createUserRequest,
  type ApiKeyView,
  type CreatedApiKey,
  type CreateKeyRequest,
  type CreateUserRequest,
  type ListBody,
  type SessionView,
  type UserView,
} from '@attune/contracts';
import { AccountRepository, type ApiKey, type User } from '@attune/persistence';
import { Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import { list } from '../core/list.js';
import { seconds, secondsOrNull } from '../core/seconds.js';
import { Validated } from '../core/validate.js';
import { AuthService } from './auth.service.js';
import { CurrentCaller, Roles, type Caller } from './caller.js';

/** Sessions, people and their keys. */
@Controller('api')
export class AccountsController {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly auth: AuthService,
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
});
