//! Makes plugins from a few lines of WebAssembly text, so that these tests need no compiler for
//! guests and can return what no compiler would let through. All answers are laid out in the
//! guest's memory by hand, as the canonical ABI of the component model has them.

use std::fmt::Write as _;
use std::path::Path;

use arrow_schema::{DataType, Field, Schema};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const TRANSFORM: &str = "loader:plugin/transform@0.1.0";
/// Where a guest's data starts. The first page is theirs.
const DATA: u32 = 1024;

/// Where an output column comes from, as a guest says it.
pub(crate) enum Out {
    Passthrough(u32),
    Cast(u32),
    Literal(Vec<u8>),
    HostValue(&'static str),
    Computed(u32),
}

/// A guest's error, or a reason for a rejected row.
#[derive(Clone, Copy)]
pub(crate) struct Says {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
    pub(crate) column: Option<&'static str>,
    pub(crate) row: Option<u32>,
}

/// What `process` returns as its batch.
pub(crate) enum Batch {
    /// The bytes that it was given.
    Echo,
    Bytes(Vec<u8>),
    /// A list anywhere, also where there is no memory.
    At {
        pointer: u32,
        length: u32,
    },
}

/// A plugin in the making. Each body is the text of a core function that leaves the address of its
/// answer.
pub(crate) struct Guest {
    data: Vec<u8>,
    config_schema: String,
    make_plan: String,
    open: String,
    process: String,
    after_process: String,
    finish: String,
    realloc: String,
    functions: String,
    imports: String,
    wit: Vec<&'static str>,
    pages: u32,
}

impl Guest {
    /// Plans nothing yet; `open` succeeds, `process` echoes, `finish` returns no counters.
    pub(crate) fn new() -> Guest {
        let mut guest = Guest {
            data: Vec::new(),
            config_schema: String::new(),
            make_plan: "unreachable".into(),
            open: String::new(),
            process: String::new(),
            after_process: String::new(),
            finish: String::new(),
            realloc: "(call $bump (local.get 3))".into(),
            functions: String::new(),
            imports: String::new(),
            wit: Vec::new(),
            pages: 4,
        };
        let empty = guest.put(&[0; 8], 4);
        guest.config_schema = format!("(i32.const {empty})");
        let opened = guest.put(&[0; 40], 4);
        guest.open = format!(
            "(i32.store (i32.const {}) (call $new (i32.const 1))) (i32.const {opened})",
            opened + 4
        );
        let finished = guest.put(&[0; 40], 4);
        guest.finish = format!("(i32.const {finished})");
        guest.returns(Batch::Echo, &[], &[], &[])
    }

    /// `make-plan` returns this plan, whose columns are all nullable.
    pub(crate) fn plans(self, inputs: &[u32], columns: Vec<(&str, DataType, Out)>) -> Guest {
        let fields: Vec<Field> =
            columns.iter().map(|(name, to, _)| Field::new(*name, to.clone(), true)).collect();
        let outputs = columns.into_iter().map(|(_, _, out)| out).collect();
        self.plans_bytes(inputs, &loader_ipc::encode_schema(&Schema::new(fields)), outputs)
    }

    /// As `plans`, with any bytes for a schema.
    pub(crate) fn plans_bytes(mut self, inputs: &[u32], schema: &[u8], outputs: Vec<Out>) -> Guest {
        let inputs: Vec<u8> = inputs.iter().flat_map(|index| index.to_le_bytes()).collect();
        let inputs = (self.put(&inputs, 4), inputs.len() as u32 / 4);
        let schema = (self.put(schema, 8), schema.len() as u32);
        let mut exprs = Vec::new();
        let n_outputs = outputs.len() as u32;
        for output in outputs {
            let words = match output {
                Out::Passthrough(index) => [0, index, 0],
                Out::Cast(index) => [1, index, 0],
                Out::Literal(bytes) => [2, self.put(&bytes, 8), bytes.len() as u32],
                Out::HostValue(key) => [3, self.put(key.as_bytes(), 1), key.len() as u32],
                Out::Computed(index) => [4, index, 0],
            };
            exprs.extend(words.into_iter().flat_map(u32::to_le_bytes));
        }
        let exprs = (self.put(&exprs, 4), n_outputs);
        let answer =
            self.words(&[0, inputs.0, inputs.1, schema.0, schema.1, exprs.0, exprs.1, 0, 0]);
        self.make_plan(&format!("(i32.const {answer})"))
    }

    /// `process` returns this.
    pub(crate) fn returns(
        mut self,
        batch: Batch,
        rejected: &[u32],
        reasons: &[u16],
        messages: &[Says],
    ) -> Guest {
        let rows: Vec<u8> = rejected.iter().flat_map(|row| row.to_le_bytes()).collect();
        let rows = (self.put(&rows, 4), rejected.len() as u32);
        let why: Vec<u8> = reasons.iter().flat_map(|reason| reason.to_le_bytes()).collect();
        let why = (self.put(&why, 2), reasons.len() as u32);
        let mut said = Vec::new();
        for message in messages {
            said.extend(self.says(*message));
        }
        let said = (self.words(&said), messages.len() as u32);
        let (pointer, length) = match &batch {
            Batch::Echo => (0, 0),
            Batch::Bytes(bytes) => (self.put(bytes, 64), bytes.len() as u32),
            Batch::At { pointer, length } => (*pointer, *length),
        };
        let answer =
            self.words(&[0, pointer, length, rows.0, rows.1, why.0, why.1, said.0, said.1]);
        let echo = match batch {
            Batch::Echo => format!(
                "(i32.store (i32.const {}) (local.get 1)) (i32.store (i32.const {}) (local.get 2))",
                answer + 4,
                answer + 8
            ),
            Batch::Bytes(_) | Batch::At { .. } => String::new(),
        };
        self.process(&format!("{echo} (i32.const {answer})"))
    }

    /// A body that returns this error.
    pub(crate) fn error(&mut self, says: Says) -> String {
        let mut words = vec![1];
        words.extend(self.says(says));
        format!("(i32.const {})", self.words(&words))
    }

    /// A body that logs at a level and goes on.
    pub(crate) fn log(&mut self, level: u32, text: &str) -> String {
        let pointer = self.put(text.as_bytes(), 1);
        format!("(call $log (i32.const {level}) (i32.const {pointer}) (i32.const {}))", text.len())
    }

    /// `finish` returns this counter, whose value `value` leaves on the stack as i64.
    pub(crate) fn counts(mut self, name: &str, value: &str) -> Guest {
        let name = (self.put(name.as_bytes(), 1), name.len() as u32);
        let counter = self.put(&[0; 16], 8);
        let mut text = String::new();
        for (offset, word) in [name.0, name.1].into_iter().enumerate() {
            let _ = write!(
                text,
                "(i32.store (i32.const {}) (i32.const {word}))",
                counter + 4 * offset as u32
            );
        }
        let answer = self.words(&[0, counter, 1]);
        self.finish(&format!(
            "{text} (i64.store (i32.const {}) {value}) (i32.const {answer})",
            counter + 8
        ))
    }

    pub(crate) fn config_schema(mut self, schema: &str) -> Guest {
        let text = (self.put(schema.as_bytes(), 1), schema.len() as u32);
        self.config_schema = format!("(i32.const {})", self.words(&[text.0, text.1]));
        self
    }

    pub(crate) fn make_plan(self, body: &str) -> Guest {
        Guest { make_plan: body.into(), ..self }
    }

    pub(crate) fn open(self, body: &str) -> Guest {
        Guest { open: body.into(), ..self }
    }

    pub(crate) fn process(self, body: &str) -> Guest {
        Guest { process: body.into(), ..self }
    }

    /// Does this first in `process`.
    pub(crate) fn before_process(self, body: &str) -> Guest {
        Guest { process: format!("{body} {}", self.process), ..self }
    }

    /// Does this when the host has taken what `process` returned.
    pub(crate) fn after_process(self, body: &str) -> Guest {
        Guest { after_process: body.into(), ..self }
    }

    pub(crate) fn config_schema_body(self, body: &str) -> Guest {
        Guest { config_schema: body.into(), ..self }
    }

    pub(crate) fn finish(self, body: &str) -> Guest {
        Guest { finish: body.into(), ..self }
    }

    /// The allocator; it gets old pointer, old size, alignment and size.
    pub(crate) fn realloc(self, body: &str) -> Guest {
        Guest { realloc: body.into(), ..self }
    }

    pub(crate) fn functions(self, text: &str) -> Guest {
        Guest { functions: text.into(), ..self }
    }

    pub(crate) fn pages(self, pages: u32) -> Guest {
        Guest { pages, ..self }
    }

    /// Imports of the core module, and the packages in which the component model finds them.
    pub(crate) fn imports(self, core: &str, wit: &[&'static str]) -> Guest {
        Guest { imports: core.into(), wit: wit.to_vec(), ..self }
    }

    /// The component.
    pub(crate) fn build(self) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/0.1");
        let (mut package, _) = resolve.push_path(contract).expect("the contract parses");
        for wit in &self.wit {
            package = resolve.push_str("test.wit", wit).expect("the test's own WIT parses");
        }
        let world = resolve.select_world(&[package], None).expect("one world");
        let mut module = wat::parse_str(self.text()).expect("the test's own text parses");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("metadata");
        ComponentEncoder::default()
            .module(&module)
            .and_then(|encoder| encoder.validate(true).encode())
            .expect("the module fits the world")
    }

    fn text(&self) -> String {
        let data: String = self.data.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let heap = (DATA + self.data.len() as u32).next_multiple_of(64);
        let pages = self.pages.max(heap / 65_536 + 2);
        let Guest {
            config_schema,
            make_plan,
            open,
            process,
            after_process,
            finish,
            realloc,
            functions,
            imports,
            ..
        } = self;
        format!(
            r#"(module $guest
  (import "loader:plugin/host@0.1.0" "log" (func $log (param i32 i32 i32)))
  (import "[export]{TRANSFORM}" "[resource-new]session" (func $new (param i32) (result i32)))
  {imports}
  (memory (export "memory") {pages})
  (data (i32.const {DATA}) "{data}")
  (global $heap (mut i32) (i32.const {heap}))
  (func $bump (param $size i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 63)) (i32.const -64)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (block $room (loop $more
      (br_if $room (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))
      unreachable))
    (local.get $at))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
  (func $config_schema (export "{TRANSFORM}#config-schema") (result i32) {config_schema})
  (func $make_plan (export "{TRANSFORM}#make-plan") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) {make_plan})
  (func $open (export "{TRANSFORM}#[static]session.open") (param i32 i32 i32 i32) (result i32) {open})
  (func $process (export "{TRANSFORM}#[method]session.process") (param i32 i32 i32) (result i32) {process})
  (func (export "cabi_post_{TRANSFORM}#[method]session.process") (param i32) (global.set $heap (i32.const {heap})) {after_process})
  (func $finish (export "{TRANSFORM}#[method]session.finish") (param i32) (result i32) {finish})
  {functions})"#
        )
    }

    /// Adds bytes to the memory; the address.
    fn put(&mut self, bytes: &[u8], align: u32) -> u32 {
        let start = (DATA + self.data.len() as u32).next_multiple_of(align);
        self.data.resize((start - DATA) as usize, 0);
        self.data.extend_from_slice(bytes);
        start
    }

    fn words(&mut self, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.put(&bytes, 4)
    }

    /// An `error` record: two strings, an optional string, an optional number.
    fn says(&mut self, says: Says) -> Vec<u32> {
        let code = self.put(says.code.as_bytes(), 1);
        let message = self.put(says.message.as_bytes(), 1);
        let column =
            says.column.map(|column| (self.put(column.as_bytes(), 1), column.len() as u32));
        let (pointer, length) = column.unwrap_or_default();
        vec![
            code,
            says.code.len() as u32,
            message,
            says.message.len() as u32,
            u32::from(column.is_some()),
            pointer,
            length,
            u32::from(says.row.is_some()),
            says.row.unwrap_or_default(),
        ]
    }
}
