//! A module that counts its instructions and reports each call of a function.

use std::collections::BTreeMap;

use rustc_demangle::demangle;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, Instruction, Module, TypeSection, ValType,
};
use wasmparser::{
    CodeSectionReader, ExportSectionReader, FunctionBody, FunctionSectionReader,
    GlobalSectionReader, ImportSectionReader, KnownCustom, Name, Parser, Payload, TypeRef,
    TypeSectionReader,
};

/// The export with the number of executed instructions.
pub(crate) const EXECUTED: &str = "executed instructions";
/// The module of the imports that are called at the start and at the end of each function.
pub(crate) const CALLS: &str = "calls";
/// Has the function's position as its argument.
pub(crate) const ENTER: &str = "enter";
pub(crate) const LEAVE: &str = "leave";
/// The number of these imports.
const MORE: u32 = 2;

type Written = Result<(), Error<std::convert::Infallible>>;

/// A module that counts its instructions. Its own code does not change.
pub(crate) struct Counted {
    /// The binary form.
    pub(crate) module: Vec<u8>,
    /// The functions' names without hashes, by position. Functions that differ only in their
    /// type parameters have the same name.
    pub(crate) names: Vec<String>,
}

impl Counted {
    pub(crate) fn new(module: &[u8]) -> Self {
        let plan = Plan::of(module);
        let mut counted = Module::new();
        (&plan)
            .parse_core_module(&mut counted, Parser::new(0), module)
            .expect("the module can be written again");
        Self {
            module: counted.finish(),
            names: plan.names(),
        }
    }
}

/// What has to be known of a module before it is written again.
#[derive(Default)]
struct Plan {
    /// The number of parameters of each type.
    parameters: Vec<usize>,
    /// The types of its functions, without the imported ones.
    functions: Vec<u32>,
    imported: u32,
    globals: u32,
    /// The names of functions by index, imported ones included.
    named: BTreeMap<u32, String>,
}

impl Plan {
    fn of(module: &[u8]) -> Self {
        let mut plan = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            plan.read(payload.expect("a module")).expect("a module");
        }
        plan
    }

    fn read(&mut self, part: Payload<'_>) -> wasmparser::Result<()> {
        if let Payload::TypeSection(types) = part {
            for kind in types.into_iter_err_on_gc_types() {
                self.parameters.push(kind?.params().len());
            }
        } else if let Payload::ImportSection(imports) = part {
            for import in imports {
                match import?.ty {
                    TypeRef::Func(_) => self.imported += 1,
                    TypeRef::Global(_) => self.globals += 1,
                    TypeRef::Table(_) | TypeRef::Memory(_) | TypeRef::Tag(_) => {}
                }
            }
        } else if let Payload::FunctionSection(functions) = part {
            self.functions = functions.into_iter().collect::<Result<_, _>>()?;
        } else if let Payload::GlobalSection(globals) = part {
            self.globals += globals.count();
        } else if let Payload::CustomSection(section) = part
            && let KnownCustom::Name(parts) = section.as_known()
        {
            for part in parts {
                self.read_names(part?)?;
            }
        }
        Ok(())
    }

    fn read_names(&mut self, part: Name<'_>) -> wasmparser::Result<()> {
        if let Name::Function(functions) = part {
            for function in functions {
                let function = function?;
                // `#` omits the hash.
                let name = format!("{:#}", demangle(function.name));
                self.named.insert(function.index, name);
            }
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let name = |index| match self.named.get(&index) {
            Some(name) => name.clone(),
            None => format!("function {index}"),
        };
        self.indexes().map(|(index, _)| name(index)).collect()
    }

    /// The original indexes of the functions, with their types.
    fn indexes(&self) -> impl Iterator<Item = (u32, u32)> {
        (self.imported..).zip(self.functions.iter().copied())
    }

    /// The new index of the function with this position that reports its calls.
    fn reporting(&self, position: u32) -> u32 {
        self.imported + MORE + position
    }

    /// The type of [`ENTER`]. That of [`LEAVE`] is the next.
    fn own_types(&self) -> u32 {
        u32::try_from(self.parameters.len()).expect("few types")
    }
}

/// Writes the module again. Each function becomes two: under its own index one that reports
/// the call, and after all of these one with the code.
impl Reencode for &Plan {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, index: u32) -> u32 {
        match index.checked_sub(self.imported) {
            None => index,
            Some(position) => self.reporting(position),
        }
    }

    fn parse_type_section(
        &mut self,
        all: &mut TypeSection,
        known: TypeSectionReader<'_>,
    ) -> Written {
        utils::parse_type_section(self, all, known)?;
        all.ty().function([ValType::I32], []);
        all.ty().function([], []);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        all: &mut ImportSection,
        known: ImportSectionReader<'_>,
    ) -> Written {
        utils::parse_import_section(self, all, known)?;
        for (kind, name) in (self.own_types()..).zip([ENTER, LEAVE]) {
            all.import(CALLS, name, EntityType::Function(kind));
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        all: &mut FunctionSection,
        known: FunctionSectionReader<'_>,
    ) -> Written {
        utils::parse_function_section(self, all, known.clone())?;
        utils::parse_function_section(self, all, known)
    }

    fn parse_global_section(
        &mut self,
        all: &mut GlobalSection,
        known: GlobalSectionReader<'_>,
    ) -> Written {
        utils::parse_global_section(self, all, known)?;
        let kind = GlobalType {
            val_type: ValType::I64,
            mutable: true,
            shared: false,
        };
        all.global(kind, &ConstExpr::i64_const(0));
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        all: &mut ExportSection,
        known: ExportSectionReader<'_>,
    ) -> Written {
        utils::parse_export_section(self, all, known)?;
        all.export(EXECUTED, ExportKind::Global, self.globals);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        all: &mut CodeSection,
        known: CodeSectionReader<'_>,
    ) -> Written {
        let count = u32::try_from(self.functions.len()).expect("few functions");
        let imports = [self.imported, self.imported + 1];
        for (position, kind) in (0..).zip(&self.functions) {
            let parameters = self.parameters[*kind as usize];
            let code = self.reporting(count + position);
            all.function(&reporting(imports, position, parameters, code));
        }
        utils::parse_code_section(self, all, known)
    }

    fn parse_function_body(&mut self, all: &mut CodeSection, body: FunctionBody<'_>) -> Written {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let mut reader = body.get_operators_reader()?;
        let mut part = Vec::new();
        while !reader.eof() {
            let instruction = self.parse_instruction(&mut reader)?;
            let ends = ends_part(&instruction);
            part.push(instruction);
            if ends || reader.eof() {
                write(&mut function, self.globals, &part);
                part.clear();
            }
        }
        all.function(&function);
        Ok(())
    }
}

/// A function that calls another one, and reports it.
fn reporting(imports: [u32; 2], position: u32, parameters: usize, code: u32) -> Function {
    let [enter, leave] = imports;
    let mut function = Function::new([]);
    let position = i32::try_from(position).expect("few functions");
    function.instruction(&Instruction::I32Const(position));
    function.instruction(&Instruction::Call(enter));
    for local in (0..).take(parameters) {
        function.instruction(&Instruction::LocalGet(local));
    }
    function.instruction(&Instruction::Call(code));
    function.instruction(&Instruction::Call(leave));
    function.instruction(&Instruction::End);
    function
}

/// Writes instructions of which either all are executed or, after the first, none. Their
/// number is added to the counter before.
fn write(function: &mut Function, counter: u32, part: &[Instruction<'_>]) {
    let executed = part.iter().filter(|instruction| executes(instruction));
    if let count @ 1.. = i64::try_from(executed.count()).expect("a small number") {
        for instruction in [
            Instruction::GlobalGet(counter),
            Instruction::I64Const(count),
            Instruction::I64Add,
            Instruction::GlobalSet(counter),
        ] {
            function.instruction(&instruction);
        }
    }
    for instruction in part {
        function.instruction(instruction);
    }
}

/// Whether the next instruction can be reached without this one, or the reverse. A call
/// ends a part too, so that the caller's later instructions do not count as the callee's.
const fn ends_part(instruction: &Instruction<'_>) -> bool {
    matches!(
        instruction,
        Instruction::Block(_)
            | Instruction::Loop(_)
            | Instruction::If(_)
            | Instruction::Else
            | Instruction::End
            | Instruction::Br(_)
            | Instruction::BrIf(_)
            | Instruction::BrTable(..)
            | Instruction::Return
            | Instruction::Unreachable
            | Instruction::Call(_)
            | Instruction::CallIndirect { .. }
    )
}

/// Whether an instruction does something. The others only give the code its structure.
const fn executes(instruction: &Instruction<'_>) -> bool {
    !matches!(
        instruction,
        Instruction::Block(_)
            | Instruction::Loop(_)
            | Instruction::Else
            | Instruction::End
            | Instruction::Nop
    )
}
