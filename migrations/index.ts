import { CreateAccounts1700000000000 } from './1700000000000-create-accounts.js';
import { CreateConversations1700000001000 } from './1700000001000-create-conversations.js';
import { CreateFeedback1700000002000 } from './1700000002000-create-feedback.js';
import { CreateDocuments1700000003000 } from './1700000003000-create-documents.js';
import { CreateTuning1700000004000 } from './1700000004000-create-tuning.js';
import { CreateCheckpoints1700000005000 } from './1700000005000-create-checkpoints.js';
import { OneUnfinishedJob1700000006000 } from './1700000006000-one-unfinished-job.js';
import { TuningMethods1700000010000 } from './1700000010000-tuning-methods.js';
import { CompleteChat1700000020000 } from './1700000020000-complete-chat.js';
import { CreateResponses1700000025000 } from './1700000025000-create-responses.js';
import { FullCheckpoints1700000011000 } from './1700000011000-full-checkpoints.js';
import { CreateFiles1700000030000 } from './1700000030000-create-files.js';
import { CreateVectorStores1700000031000 } from './1700000031000-create-vector-stores.js';
import { CreateWebhooks1700000032000 } from './1700000032000-create-webhooks.js';
import { CreateFineTuning1700000033000 } from './1700000033000-create-fine-tuning.js';
import { CreateBatches1700000034000 } from './1700000034000-create-batches.js';
import { CreateEvals1700000035000 } from './1700000035000-create-evals.js';
import { KeyQuotas1700000036000 } from './1700000036000-key-quotas.js';
import { AnnounceResponses1700000038000 } from './1700000038000-announce-responses.js';
import { OwnedLeases1700000039000 } from './1700000039000-owned-leases.js';
import { PartsAsTheyCome1700000040000 } from './1700000040000-parts-as-they-come.js';
import { PassageVectors1700000040500 } from './1700000040500-passage-vectors.js';
import { QueuesInTurn1700000040600 } from './1700000040600-queues-in-turn.js';
import { GatewayInstances1700000041000 } from './1700000041000-gateway-instances.js';
import { IdempotentRequests1700000041100 } from './1700000041100-idempotent-requests.js';
import { EmbeddingUse1700000041200 } from './1700000041200-embedding-use.js';
import { Retention1700000041300 } from './1700000041300-retention.js';
import { CheckpointPermissions1700000041400 } from './1700000041400-checkpoint-permissions.js';
import { GradedRows1700000047000 } from './1700000047000-graded-rows.js';
import { ClaimIds1700000048000 } from './1700000048000-claim-ids.js';
import { BatchCounts1700000048100 } from './1700000048100-batch-counts.js';
import { FilesAsTheyCome1700000048200 } from './1700000048200-files-as-they-come.js';

/** Every migration, oldest first. A released one is never edited; a change is a new file. */
export const migrations = [
  CreateAccounts1700000000000,
  CreateConversations1700000001000,
  CreateFeedback1700000002000,
  CreateDocuments1700000003000,
  CreateTuning1700000004000,
  CreateCheckpoints1700000005000,
  OneUnfinishedJob1700000006000,
  TuningMethods1700000010000,
  CompleteChat1700000020000,
  CreateResponses1700000025000,
  FullCheckpoints1700000011000,
  CreateFiles1700000030000,
  CreateVectorStores1700000031000,
  CreateWebhooks1700000032000,
  CreateFineTuning1700000033000,
  CreateBatches1700000034000,
  CreateEvals1700000035000,
  KeyQuotas1700000036000,
  AnnounceResponses1700000038000,
  OwnedLeases1700000039000,
  PartsAsTheyCome1700000040000,
  PassageVectors1700000040500,
  QueuesInTurn1700000040600,
  GatewayInstances1700000041000,
  IdempotentRequests1700000041100,
  EmbeddingUse1700000041200,
  Retention1700000041300,
  CheckpointPermissions1700000041400,
  GradedRows1700000047000,
  ClaimIds1700000048000,
  BatchCounts1700000048100,
  FilesAsTheyCome1700000048200,
];
