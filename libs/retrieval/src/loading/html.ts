import { convert, type HtmlToTextOptions } from 'html-to-text';
import { decodeText } from './decode-text.js';

const skipped = ['img', 'nav', 'footer', 'script', 'style', 'noscript', 'svg', 'form', 'iframe'];
const headings = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];

const options: HtmlToTextOptions = {
  wordwrap: false,
  selectors: [
    ...skipped.map((selector) => ({ selector, format: 'skip' })),
    ...headings.map((selector) => ({ selector, options: { uppercase: false } })),
    { selector: 'a', options: { ignoreHref: true } },
    { selector: 'table', format: 'dataTable', options: { uppercaseHeaderCells: false } },
  ],
};

/** The readable text of an HTML page, its title first. */
export function htmlToText(filename: string, bytes: Uint8Array): string {
  const html = decodeText(filename, bytes, statedCharset(bytes));
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(html)?.[1];
  const body = convert(html, options);
  const heading = title ? convert(title, options).trim() : '';
  return heading && !body.startsWith(heading) ? `${heading}\n\n${body}` : body;
}

/** `<meta charset="…">` or the older `content="text/html; charset=…"`, within the first kilobyte as the standard says. */
function statedCharset(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 1024));
  return /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(head)?.[1];
}
