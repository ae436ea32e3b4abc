import type { DynamicModule, Provider } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { openDatabase, createDataSource } from './data-source.js';
import { Notifications } from './notifications.js';
import { repositories } from './repositories/index.js';

export interface PersistenceOptions {
  /** Most connections the process may hold. */
  poolSize?: number;
  /** Told when the notification connection is lost or a listener throws. */
  onError?: (error: unknown) => void;
}

/** Makes every repository, {@link Notifications} and TypeORM's DataSource injectable everywhere in a Nest application. */
export class PersistenceModule {
  /** @throws UnavailableError at start-up when no database answers at `url`. */
  static forRoot(url: string, options: PersistenceOptions = {}): DynamicModule {
    const database = TypeOrmModule.forRootAsync({
      // One attempt: whether to try again is the supervisor's decision.
      useFactory: () => ({ ...createDataSource(url, options).options, toRetry: () => false }) as TypeOrmModuleOptions,
      dataSourceFactory: () => openDatabase(url, options),
    });
    const notifications: Provider = {
      provide: Notifications,
      useFactory: () => new Notifications(url, options.onError),
    };
    const providers: Provider[] = repositories.map((repository) => ({
      provide: repository,
      useFactory: (dataSource: DataSource) => new repository(dataSource),
      inject: [DataSource],
    }));
    return {
      module: PersistenceModule,
      global: true,
      imports: [database],
      providers: [...providers, notifications],
      exports: [...repositories, Notifications, database],
    };
  }
}
