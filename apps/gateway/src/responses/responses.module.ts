import { Module } from '@nestjs/common';
import { ChatModule } from '../chat/chat.module.js';
import { OpenAIModule } from '../openai/openai.module.js';
import { VectorStoresModule } from '../vector-stores/vector-stores.module.js';
import { ContextFitter } from './context-fitter.js';
import { EventJournal } from './event-journal.js';
import { FILE_SEARCH, FileSearchTools } from './file-search.js';
import { ResponseFiler } from './response-filer.js';
import { ResponseKeeper } from './response-keeper.js';
import { ResponsePlanner } from './response-planner.js';
import { ResponseProducer } from './response-producer.js';
import { ResponseReader } from './response-reader.js';
import { ResponseRunner } from './response-runner.js';
import { ResponsesController } from './responses.controller.js';
import { ResponsesService } from './responses.service.js';
import { RunningResponses } from './running-responses.js';
import { StoredResponsesService } from './stored-responses.service.js';
import { VectorStoreFileSearch } from './vector-store-file-search.js';

@Module({
  imports: [ChatModule, OpenAIModule, VectorStoresModule],
  controllers: [ResponsesController],
  providers: [
    ResponsesService,
    StoredResponsesService,
    // one answer: what it refers to, its events, their readers
    ResponsePlanner,
    ContextFitter,
    FileSearchTools,
    { provide: FILE_SEARCH, useClass: VectorStoreFileSearch },
    ResponseProducer,
    ResponseRunner,
    ResponseReader,
    // what is kept of it
    RunningResponses,
    EventJournal,
    ResponseFiler,
    ResponseKeeper,
  ],
  exports: [ResponsesService, ContextFitter],
})
export class ResponsesModule {}
