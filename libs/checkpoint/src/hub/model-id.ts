/** A model on the hub: `owner/name`, optionally `@` a branch, tag or commit. */
export interface ModelId {
  readonly repo: string;
  readonly revision: string;
}

const PART = '[A-Za-z0-9][A-Za-z0-9._-]{0,95}';
const MODEL_ID = new RegExp(`^(${PART}/${PART})(?:@([A-Za-z0-9][A-Za-z0-9._/-]{0,127}))?$`);

/** @returns undefined for anything that is not a hub id (a path, `..`, several slashes) */
export function parseModelId(text: string): ModelId | undefined {
  const [, repo, revision = 'main'] = MODEL_ID.exec(text) ?? [];
  return repo && !text.includes('..') ? { repo, revision } : undefined;
}

/** The download folder's name: `owner--name`, and `@revision` unless it is main. */
export function folderNameOf({ repo, revision }: ModelId): string {
  const suffix = revision === 'main' ? '' : `@${revision.replaceAll('/', '--')}`;
  return `${repo.replace('/', '--')}${suffix}`;
}
