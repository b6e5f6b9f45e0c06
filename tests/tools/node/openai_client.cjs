// Calls the service through OpenAI's client library, and prints what a program that uses it sees.
//
// Arguments: the address, a key, and a key that is good for one request. tests/tools/python/openai_client.py does the same and
// prints the same.
'use strict';

const OpenAI = require('openai');
const { zodResponseFormat } = require('openai/helpers/zod');
const { z } = require('zod');

const [ADDRESS, KEY, SPENT_KEY] = process.argv.slice(2);
const Ticket = z.object({ intent: z.enum(['refund', 'other']), count: z.number() });

const client = (key = KEY, options = {}) => new OpenAI({ baseURL: ADDRESS, apiKey: key, ...options });

const request = (text, options = {}) => ({
  model: 'stub',
  messages: [{ role: 'user', content: text }],
  response_format: zodResponseFormat(Ticket, 'Ticket'),
  ...options,
});

// The class of what is thrown, and what it says.
async function error(call) {
  try {
    await call();
  } catch (thrown) {
    if (thrown instanceof OpenAI.APIError) {
      return [thrown.constructor.name, thrown.code, thrown.param, typeof thrown.requestID === 'string'];
    }
    return [thrown.constructor.name];
  }
  return [];
}

async function create() {
  const answer = await client().chat.completions.create(request('Hello'));
  const [choice] = answer.choices;
  return [choice.message.content, choice.finish_reason, answer.structured_prompt.provider];
}

async function parse() {
  return (await client().chat.completions.parse(request('Hello'))).choices[0].message.parsed.intent;
}

async function streamed() {
  const options = { stream: true, stream_options: { include_usage: true } };
  const choices = [];
  let tokens;
  for await (const chunk of await client().chat.completions.create(request('Hello', options))) {
    choices.push(...chunk.choices);
    tokens = chunk.usage?.total_tokens;
  }
  return [choices.map((choice) => choice.delta.content ?? '').join(''), choices.at(-1).finish_reason, tokens];
}

async function streamedAndParsed() {
  const stream = client().chat.completions.stream(request('Hello'));
  return (await stream.finalChatCompletion()).choices[0].message.parsed.intent;
}

async function refused() {
  const { message } = (await client().chat.completions.parse(request('refuse this'))).choices[0];
  return [message.parsed, typeof message.refusal === 'string'];
}

async function retried() {
  const began = performance.now();
  const patient = client(KEY, { maxRetries: 5 });
  const answer = await patient.chat.completions.parse(request('busy, as Node sees it', { options: { timeout: '2s' } }));
  return [answer.choices[0].message.parsed.intent, performance.now() - began > 2500];
}

async function replayed() {
  const headers = { 'Idempotency-Key': 'node' };
  const once = async () => (await client().chat.completions.create(request('Hello'), { headers }).withResponse()).response;
  return [(await once()).headers.get('idempotency-replayed'), (await once()).headers.get('idempotency-replayed')];
}

async function listed() {
  const ids = [];
  for await (const model of client().models.list()) ids.push(model.id);
  return [ids.includes('stub'), ids.includes('schema/invoice@1.0.0'), (await client().models.retrieve('template/invoice')).id];
}

async function spent() {
  const poor = client(SPENT_KEY, { maxRetries: 0 });
  await poor.models.list();
  await poor.models.list();
}

async function main() {
  const { completions } = client(KEY, { maxRetries: 0 }).chat;
  const report = {
    create: await create(),
    parse: await parse(),
    stream: await streamed(),
    'stream and parse': await streamedAndParsed(),
    refusal: await refused(),
    cut: await error(() => completions.parse(request('cut this'))),
    models: await listed(),
    replayed: await replayed(),
    retried: await retried(),
    'wrong key': await error(() => client('sk_wrong').models.list()),
    'spent key': await error(spent),
    'unknown model': await error(() => completions.parse(request('x', { model: 'gpt-5' }))),
    'two answers': await error(() => completions.parse(request('x', { n: 2 }))),
    'invalid answer': await error(() => completions.parse(request('answer anything else'))),
    'too slow': await error(() => completions.parse(request('be slow', { options: { timeout: '100ms' } }))),
  };
  console.log(JSON.stringify(report));
}

main().catch((thrown) => {
  console.error(thrown);
  process.exit(1);
});
