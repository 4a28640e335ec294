// Speaks with the gateway through the openai library, as a program would, and prints what it got as one line of JSON.
//
//   node client.mjs BASE_URL KEY MODEL WHAT [FILE]
import { createReadStream } from "node:fs";
import OpenAI, { AzureOpenAI, toFile } from "openai";

const [baseURL, apiKey, model, what, file] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "Hello" }];

async function textOf(stream, deltaOf) {
  const said = [];
  for await (const event of stream) said.push(deltaOf(event) ?? "");
  return said.join("");
}

const requests = {
  async chat() {
    const answer = await client.chat.completions.create({ model, messages });
    return { model: answer.model, text: answer.choices[0].message.content };
  },
  async chat_streamed() {
    const stream = await client.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    return { text: await textOf(stream, (chunk) => chunk.choices[0]?.delta?.content) };
  },
  async responses_streamed() {
    const stream = await client.responses.create({ model, input: "Hello", stream: true });
    return { text: await textOf(stream, (event) => event.delta) };
  },
  async embeddings() {
    const answer = await client.embeddings.create({ model, input: ["one", "two"] });
    return { model: answer.model, embeddings: answer.data.map((item) => item.embedding) };
  },
  async azure_chat() {
    const azure = new AzureOpenAI({ endpoint: baseURL, apiKey, apiVersion: "2024-10-21", maxRetries: 0 });
    const answer = await azure.chat.completions.create({ model, messages });
    return { model: answer.model, text: answer.choices[0].message.content };
  },
  // The parts stand in the order in which they are given.
  async transcription_model_first() {
    return await client.audio.transcriptions.create({ model, file: await toFile(createReadStream(file)) });
  },
  async transcription_model_last() {
    return await client.audio.transcriptions.create({ file: await toFile(createReadStream(file)), model });
  },
};

console.log(JSON.stringify(await requests[what]()));
