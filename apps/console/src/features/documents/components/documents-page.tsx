import { Stack } from '@mantine/core';
import { PageHeader } from '../../../components/ui/page-header.js';
import { Page } from '../../../components/ui/page.js';
import { DocumentList } from './document-list.js';
import { PassageSearch } from './passage-search.js';
import { UploadArea } from './upload-area.js';

/** `mayChange`: whether documents may be added and deleted, not only read. */
export function DocumentsPage({ mayChange }: { mayChange: boolean }) {
  return (
    <Page>
      <PageHeader
        title="Documents"
        about="Answers are grounded in these. They are cut into passages; the ones that fit a question are quoted to the model."
      />
      <Stack gap="xl">
        {mayChange && <UploadArea />}
        <PassageSearch />
        <DocumentList mayChange={mayChange} />
      </Stack>
    </Page>
  );
}
