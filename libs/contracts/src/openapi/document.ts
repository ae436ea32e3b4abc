import { z } from 'zod';
import { endpoints, type Endpoint } from './endpoints.js';

type Json = Record<string, unknown>;

const ERROR = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'param', 'code'],
      properties: {
        message: { type: 'string' },
        type: { type: 'string' },
        param: { type: ['string', 'null'] },
        code: { type: ['string', 'null'] },
      },
    },
  },
};

/** The gateway's HTTP API as OpenAPI 3.1, from the same schemas that requests are checked against. */
export function openApiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const [tag, group] of Object.entries(endpoints)) {
    for (const endpoint of group) (paths[endpoint.path] ??= {})[endpoint.method] = operation(tag, endpoint);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Attune',
      version: '1',
      description: 'OpenAI’s API, and under /api what reviewing and tuning need beside it.',
    },
    tags: Object.keys(endpoints).map((name) => ({ name })),
    security: [{ key: [] }],
    paths,
    components: {
      schemas: { Error: ERROR },
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      responses: {
        Error: { description: 'What is wrong, with which field, and what to do.', content: json(ref('Error')) },
      },
    },
  };
}

function operation(tag: string, { method, path, summary, role, returns, status = 200, ...rest }: Endpoint): Json {
  const parameters = [...pathParameters(path), ...queryParameters(rest.query)];
  return {
    tags: [tag],
    summary,
    operationId: `${method}${path.replace(/\/v1|[{}]/g, '').replace(/[/_]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    ...(role === 'none' && { security: [] }),
    ...(role && role !== 'none' && { description: `Needs a key of role \`${role}\`.` }),
    ...(parameters.length > 0 && { parameters }),
    ...requestBody(rest),
    responses: {
      [status]: { description: returns, ...answer(rest, status) },
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

const pathParameters = (path: string): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

function queryParameters(query: z.ZodType | undefined): Json[] {
  if (!query) return [];
  const { properties = {} } = schemaOf(query) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    schema,
    ...(schema.type === 'object' && { style: 'deepObject', explode: true }),
  }));
}

function requestBody({ body, file }: Pick<Endpoint, 'body' | 'file'>): Json {
  if (file === undefined) return body ? { requestBody: { required: true, content: json(schemaOf(body)) } } : {};
  const fields = (body ? schemaOf(body) : {}) as { properties?: Json; required?: string[] };
  const schema = {
    type: 'object',
    properties: { [file]: { type: 'string', format: 'binary' }, ...fields.properties },
    required: [file, ...(fields.required ?? [])],
  };
  return { requestBody: { required: true, content: { 'multipart/form-data': { schema } } } };
}

function answer({ streams }: Pick<Endpoint, 'streams'>, status: number): Json {
  if (status === 204) return {};
  const events = { 'text/event-stream': { schema: { type: 'string' } } };
  return { content: { ...json({}), ...(streams && events) } };
}

/** What clients may send: input, defaults not yet filled in. */
const schemaOf = (schema: z.ZodType): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest as Json;
};

const json = (schema: Json) => ({ 'application/json': { schema } });
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
