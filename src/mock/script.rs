//! The frames of a streamed answer, one server-sent event each, made as they are needed.

use bytes::Bytes;

use super::answer::{Words, json_string};

/// Which API the chunks belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkShape {
    Chat,
    Text,
}

/// Whether the stream tells its token counts, as `stream_options.include_usage` asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UsageChunk {
    Sent,
    LeftOut,
}

/// The frames of one stream: for chat a role chunk, then the content chunks, the finish reason,
/// the usage if it was asked for, and `[DONE]`.
#[derive(Debug)]
pub(super) struct Script {
    shape: ChunkShape,
    /// Every chunk from `data: ` to the opening bracket of its choices.
    head: String,
    /// Every chunk with choices from their closing bracket to its end.
    tail: &'static str,
    /// The event before `[DONE]`, until it is sent.
    usage: Option<String>,
    sentence: Vec<char>,
    chunks: usize,
    next: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Role,
    Content(usize),
    Usage,
    Done,
    Over,
}

impl Script {
    /// `chunks` is the number of content chunks.
    pub(super) fn new(words: &Words, shape: ChunkShape, chunks: usize, usage: UsageChunk) -> Self {
        let head = match shape {
            ChunkShape::Chat => words.head("chatcmpl", "chat.completion.chunk"),
            ChunkShape::Text => words.head("cmpl", "text_completion"),
        };
        let head = format!("data: {head}");
        let (tail, usage) = match usage {
            UsageChunk::LeftOut => ("]}\n\n", None),
            UsageChunk::Sent => {
                let usage = words.usage.of_completions();
                let chunk = format!("{head}],\"usage\":{usage}}}\n\n");
                ("],\"usage\":null}\n\n", Some(chunk))
            }
        };
        Self {
            shape,
            head,
            tail,
            usage,
            sentence: words.sentence.chars().collect(),
            chunks,
            next: match shape {
                ChunkShape::Chat => Step::Role,
                ChunkShape::Text => Step::Content(0),
            },
        }
    }

    /// The content of chunk `index`: its share of the sentence, or one letter of the sentence said
    /// again and again when there are more chunks than letters.
    fn piece(&self, index: usize) -> String {
        let letters = self.sentence.len();
        if self.chunks > letters {
            let at = index % (letters + 1);
            return self.sentence.get(at).copied().unwrap_or(' ').to_string();
        }
        let boundary = |chunk: usize| letters * chunk / self.chunks;
        self.sentence.get(boundary(index)..boundary(index + 1)).map(String::from_iter).unwrap_or_default()
    }

    fn chunk(&self, choice: &str, finish: &str) -> Bytes {
        let Self { head, tail, .. } = self;
        Bytes::from(format!(r#"{head}{{"index":0,{choice},"logprobs":null,"finish_reason":{finish}}}{tail}"#))
    }

    fn content(&self, index: usize) -> Bytes {
        let piece = json_string(&self.piece(index));
        let choice = match self.shape {
            ChunkShape::Chat => format!(r#""delta":{{"content":{piece}}}"#),
            ChunkShape::Text => format!(r#""text":{piece}"#),
        };
        self.chunk(&choice, "null")
    }

    fn finish(&self) -> Bytes {
        match self.shape {
            ChunkShape::Chat => self.chunk(r#""delta":{}"#, r#""stop""#),
            ChunkShape::Text => self.chunk(r#""text":"""#, r#""stop""#),
        }
    }
}

impl Iterator for Script {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        match self.next {
            Step::Role => {
                self.next = Step::Content(0);
                let role = r#""delta":{"role":"assistant","content":"","refusal":null}"#;
                Some(self.chunk(role, "null"))
            }
            Step::Content(index) if index < self.chunks => {
                self.next = Step::Content(index + 1);
                Some(self.content(index))
            }
            Step::Content(_) => {
                self.next = Step::Usage;
                Some(self.finish())
            }
            Step::Usage => {
                self.next = Step::Done;
                match self.usage.take() {
                    Some(usage) => Some(Bytes::from(usage)),
                    None => self.next(),
                }
            }
            Step::Done => {
                self.next = Step::Over;
                Some(Bytes::from_static(b"data: [DONE]\n\n"))
            }
            Step::Over => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn script(shape: ChunkShape, chunks: usize, usage: UsageChunk) -> Vec<String> {
        Script::new(&Words::new("gpt-4o", 40, 1), shape, chunks, usage)
            .map(|frame| String::from_utf8(frame.to_vec()).unwrap())
            .collect()
    }

    fn chunks_of(frames: &[String]) -> Vec<Value> {
        let (done, chunks) = frames.split_last().unwrap();
        assert_eq!(done, "data: [DONE]\n\n");
        chunks
            .iter()
            .map(|frame| {
                let json = frame.strip_prefix("data: ").unwrap();
                let json = json.strip_suffix("\n\n").unwrap();
                assert!(!json.contains('\n'), "one event a frame: {frame}");
                serde_json::from_str(json).unwrap()
            })
            .collect()
    }

    fn said(chunks: &[Value]) -> String {
        let texts = chunks.iter().filter_map(|chunk| {
            let choice = &chunk["choices"][0];
            choice["delta"]["content"].as_str().or(choice["text"].as_str())
        });
        texts.collect()
    }

    #[test]
    fn a_chat_stream_says_the_sentence_in_so_many_chunks() {
        for count in [1, 2, 7, 8, 18] {
            let chunks = chunks_of(&script(ChunkShape::Chat, count, UsageChunk::LeftOut));
            assert_eq!(chunks.len(), count + 2, "role, content, finish");
            assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
            assert_eq!(said(&chunks), "Hello from gpt-4o.");
            let last = chunks.last().unwrap();
            assert_eq!(last["choices"][0]["finish_reason"], "stop");
            assert!(chunks.iter().all(|chunk| chunk["model"] == "gpt-4o"
                && chunk["object"] == "chat.completion.chunk"
                && chunk.get("usage").is_none()));
        }
    }

    #[test]
    fn more_chunks_than_letters_repeat_the_sentence() {
        let chunks = chunks_of(&script(ChunkShape::Chat, 40, UsageChunk::LeftOut));
        assert_eq!(chunks.len(), 42);
        assert_eq!(said(&chunks), "Hello from gpt-4o. Hello from gpt-4o. He");
    }

    #[test]
    fn no_chunks_is_an_empty_answer() {
        let chunks = chunks_of(&script(ChunkShape::Chat, 0, UsageChunk::LeftOut));
        assert_eq!((chunks.len(), said(&chunks).as_str()), (2, ""));
    }

    #[test]
    fn usage_comes_last_and_is_null_before() {
        for shape in [ChunkShape::Chat, ChunkShape::Text] {
            let chunks = chunks_of(&script(shape, 3, UsageChunk::Sent));
            let (usage, before) = chunks.split_last().unwrap();
            assert!(before.iter().all(|chunk| chunk["usage"].is_null()));
            assert!(before.iter().all(|chunk| chunk.get("usage").is_some()));
            assert_eq!(usage["choices"].as_array().unwrap().len(), 0);
            assert_eq!(usage["usage"]["total_tokens"], 15);
        }
    }

    #[test]
    fn a_text_stream_has_text_and_no_role() {
        let chunks = chunks_of(&script(ChunkShape::Text, 4, UsageChunk::LeftOut));
        assert_eq!(chunks.len(), 5);
        assert_eq!(said(&chunks), "Hello from gpt-4o.");
        assert!(chunks.iter().all(|chunk| chunk["object"] == "text_completion"));
    }
}
