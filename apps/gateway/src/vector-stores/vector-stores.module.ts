import { Module } from '@nestjs/common';
import { FileBatchesController } from './file-batches.controller.js';
import { FileIndexer } from './file-indexer.js';
import { PassageEmbedder } from './passage-embedder.js';
import { TextVectors } from './text-vectors.js';
import { VectorStoreFilesController } from './vector-store-files.controller.js';
import { VectorStoreSearch } from './vector-store-search.js';
import { VectorStoresController } from './vector-stores.controller.js';

@Module({
  controllers: [VectorStoresController, VectorStoreFilesController, FileBatchesController],
  providers: [FileIndexer, PassageEmbedder, TextVectors, VectorStoreSearch],
  exports: [VectorStoreSearch],
})
export class VectorStoresModule {}
