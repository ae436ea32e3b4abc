import { InvalidRequestError, messageOf } from '@attune/platform';
import { extractText, getDocumentProxy } from 'unpdf';

/**
 * The text of each page, in order; pages without text are empty strings.
 * @throws InvalidRequestError when the file is encrypted or damaged, or holds only pictures of text
 */
export async function pdfToPages(filename: string, bytes: Uint8Array): Promise<string[]> {
  const document = await open(filename, bytes);
  try {
    const { text } = await extractText(document, { mergePages: false });
    if (text.every((page) => page.trim() === '')) {
      throw new InvalidRequestError(
        `${filename} has no text on any page, it is probably a scan; run text recognition over it first`,
      );
    }
    return text;
  } finally {
    await document.loadingTask.destroy();
  }
}

/** The reader takes the bytes away from its caller, so it gets a copy. */
async function open(filename: string, bytes: Uint8Array) {
  try {
    return await getDocumentProxy(Uint8Array.from(bytes), { verbosity: 0 });
  } catch (error) {
    const encrypted = error instanceof Error && error.name === 'PasswordException';
    throw new InvalidRequestError(
      encrypted
        ? `${filename} is encrypted; save it without a password and upload it again`
        : `${filename} is no readable PDF (${messageOf(error)}); save it anew and upload it again`,
      { cause: error },
    );
  }
}
