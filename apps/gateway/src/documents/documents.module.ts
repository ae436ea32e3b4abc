import { Module } from '@nestjs/common';
import { DocumentsController } from './documents.controller.js';
import { DocumentsService } from './documents.service.js';
import { PassageSearch } from './passage-search.js';

@Module({ controllers: [DocumentsController], providers: [DocumentsService, PassageSearch], exports: [PassageSearch] })
export class DocumentsModule {}
