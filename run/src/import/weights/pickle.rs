//! Python's pickles as `torch.save` writes them: instructions for a machine with a stack, as
//! Python's `pickletools` describes them. Only what makes up a state dict is known; everything else
//! that a pickle names is refused, and nothing is ever run.
//!
//! Every instruction takes a byte at least and makes one value at most, and what is large is never
//! copied: the pickle's length bounds the room and the time.

use std::collections::BTreeMap;

use super::found::WeightsError;
use super::objects::{Global, Object, Storage, Tensor, Value, broken, object, size};

/// Most axes of a tensor. Many tensors may name one shape, and each holds it.
const MOST_AXES: usize = 8;

/// All objects of a pickle, and which of them it is.
#[derive(Debug)]
pub struct Pickle<'a> {
    objects: Vec<Object<'a>>,
    root: Value<'a>,
}

impl<'a> Pickle<'a> {
    /// Follows the instructions to their end.
    ///
    /// # Errors
    /// Instructions that no state dict has, and names of code.
    pub fn read(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        let mut machine = Machine {
            rest: bytes,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
            objects: Vec::new(),
        };
        while machine.step()? {}
        let root = machine.pop()?;
        Ok(Self {
            objects: machine.objects,
            root,
        })
    }

    /// What the pickle is.
    pub fn root(&self) -> Value<'a> {
        self.root
    }

    /// The object that a value is, where it is one.
    pub fn object(&self, value: Value) -> Option<&Object<'a>> {
        object(&self.objects, value)
    }
}

struct Machine<'a> {
    rest: &'a [u8],
    stack: Vec<Value<'a>>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Value<'a>>,
    objects: Vec<Object<'a>>,
}

impl<'a> Machine<'a> {
    /// One instruction; whether there is another.
    fn step(&mut self) -> Result<bool, WeightsError> {
        let [instruction] = self.take()?;
        match instruction {
            b'.' => return Ok(false),
            // The protocol, and the length of what follows.
            0x80 => self.take::<1>().map(drop)?,
            0x95 => self.take::<8>().map(drop)?,
            b'(' => self.marks.push(self.stack.len()),
            // None, false, true; a float.
            b'N' | 0x88 | 0x89 => self.stack.push(Value::Other),
            b'G' => {
                self.take::<8>()?;
                self.stack.push(Value::Other);
            }
            b'J' => {
                let number = i32::from_le_bytes(self.take()?);
                self.stack.push(Value::Whole(number.into()));
            }
            b'K' => {
                let [number] = self.take()?;
                self.stack.push(Value::Whole(number.into()));
            }
            b'M' => {
                let number = u16::from_le_bytes(self.take()?);
                self.stack.push(Value::Whole(number.into()));
            }
            0x8a => self.long()?,
            b'X' => {
                let length = u32::from_le_bytes(self.take()?);
                self.text(length)?;
            }
            // Texts of which a byte tells the length; the second is of Python 2.
            0x8c | b'U' => {
                let [length] = self.take()?;
                self.text(length.into())?;
            }
            b')' => self.make(Object::Tuple(Vec::new())),
            b't' => {
                let values = self.pop_to_mark()?;
                self.make(Object::Tuple(values));
            }
            0x85..=0x87 => {
                let from = self.stack.len().checked_sub((instruction - 0x84).into());
                let values = self.pop_from(from)?;
                self.make(Object::Tuple(values));
            }
            b'}' => self.make(Object::Dict(Vec::new())),
            b's' => {
                let from = self.stack.len().checked_sub(2);
                let values = self.pop_from(from)?;
                self.set_items(&values)?;
            }
            b'u' => {
                let values = self.pop_to_mark()?;
                self.set_items(&values)?;
            }
            // An empty list and an empty set, and what goes in: no weights are in either.
            b']' | 0x8f => self.make(Object::Other),
            b'a' => self.pop().map(drop)?,
            b'e' | 0x90 => self.pop_to_mark().map(drop)?,
            b'q' => {
                let [place] = self.take()?;
                self.remember(place.into())?;
            }
            b'r' => {
                let place = u32::from_le_bytes(self.take()?);
                self.remember(place)?;
            }
            0x94 => {
                let place = u32::try_from(self.memo.len()).unwrap_or(u32::MAX);
                self.remember(place)?;
            }
            b'h' => {
                let [place] = self.take()?;
                self.recall(place.into())?;
            }
            b'j' => {
                let place = u32::from_le_bytes(self.take()?);
                self.recall(place)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(module, name)?;
            }
            0x93 => match (self.pop()?, self.pop()?) {
                (Value::Text(name), Value::Text(module)) => self.global(module, name)?,
                _ => return Err(broken("a name is no text")),
            },
            b'R' => self.call()?,
            // The attributes of an object, such as the versions in a state dict.
            b'b' => self.pop().map(drop)?,
            b'Q' => self.storage()?,
            other => {
                let reason = format!("instruction {other:#04x} is none of a state dict");
                return Err(broken(reason));
            }
        }
        Ok(true)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], WeightsError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| broken(ENDS))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn take_slice(&mut self, length: usize) -> Result<&'a [u8], WeightsError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| broken(ENDS))?;
        self.rest = rest;
        Ok(taken)
    }

    fn line(&mut self) -> Result<&'a str, WeightsError> {
        let length = self.rest.iter().position(|byte| *byte == b'\n');
        let line = self.take_slice(length.ok_or_else(|| broken(ENDS))?)?;
        self.take::<1>()?;
        utf8(line)
    }

    fn text(&mut self, length: u32) -> Result<(), WeightsError> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let text = utf8(self.take_slice(length)?)?;
        self.stack.push(Value::Text(text));
        Ok(())
    }

    /// A whole number of any length; one that fits nothing here becomes something of no interest.
    fn long(&mut self) -> Result<(), WeightsError> {
        let [length] = self.take()?;
        let bytes = self.take_slice(length.into())?;
        let negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
        let mut whole = [if negative { 0xff } else { 0 }; 8];
        let value = match whole.get_mut(..bytes.len()) {
            Some(low) => {
                low.copy_from_slice(bytes);
                Value::Whole(i64::from_le_bytes(whole))
            }
            None => Value::Other,
        };
        self.stack.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Value<'a>, WeightsError> {
        // What is below a mark is out of reach until the mark is gone.
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(broken("a value is missing"));
        }
        self.stack.pop().ok_or_else(|| broken("a value is missing"))
    }

    fn pop_from(&mut self, from: Option<usize>) -> Result<Vec<Value<'a>>, WeightsError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match from {
            Some(from) if (floor..=self.stack.len()).contains(&from) => {
                Ok(self.stack.split_off(from))
            }
            _ => Err(broken("a value is missing")),
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value<'a>>, WeightsError> {
        let mark = self
            .marks
            .pop()
            .ok_or_else(|| broken("a mark is missing"))?;
        self.pop_from(Some(mark))
    }

    fn make(&mut self, object: Object<'a>) {
        self.stack.push(Value::Object(self.objects.len()));
        self.objects.push(object);
    }

    fn remember(&mut self, place: u32) -> Result<(), WeightsError> {
        let top = self.pop()?;
        self.stack.push(top);
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, place: u32) -> Result<(), WeightsError> {
        let value = self.memo.get(&place);
        let value = value.ok_or_else(|| broken("a value is recalled that is not there"))?;
        self.stack.push(*value);
        Ok(())
    }

    /// Puts keys and values, in turn, into the dict on the stack.
    fn set_items(&mut self, items: &[Value<'a>]) -> Result<(), WeightsError> {
        let (pairs, rest) = items.as_chunks::<2>();
        let dict = match self.stack.last() {
            Some(Value::Object(index)) => self.objects.get_mut(*index),
            _ => None,
        };
        match dict {
            Some(Object::Dict(dict)) if rest.is_empty() => {
                dict.extend(pairs.iter().map(|[key, value]| (*key, *value)));
                Ok(())
            }
            _ => Err(broken("keys and values go into no dict")),
        }
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), WeightsError> {
        let global = Global::of(module, name)?;
        self.make(Object::Global(global));
        Ok(())
    }

    fn call(&mut self) -> Result<(), WeightsError> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let arguments = match object(&self.objects, arguments) {
            Some(Object::Tuple(values)) => values.as_slice(),
            _ => return Err(broken("a call has no arguments")),
        };
        let made = match (object(&self.objects, callee), arguments) {
            (Some(Object::Global(Global::OrderedDict)), []) => Object::Dict(Vec::new()),
            // After them stand whether it needs a gradient, its hooks, and anything else.
            (
                Some(Object::Global(Global::RebuildTensor)),
                [storage, offset, shape, strides, _, _, ..],
            ) => Object::Tensor(self.tensor([*storage, *offset, *shape, *strides])?),
            (Some(Object::Global(Global::RebuildParameter)), [tensor, _, _]) => {
                self.stack.push(*tensor);
                return Ok(());
            }
            _ => return Err(broken("a call is none of a state dict")),
        };
        self.make(made);
        Ok(())
    }

    fn tensor(
        &self,
        [storage, offset, shape, strides]: [Value; 4],
    ) -> Result<Tensor<'a>, WeightsError> {
        let lengths = |value| match object(&self.objects, value) {
            Some(Object::Tuple(values)) if values.len() <= MOST_AXES => {
                values.iter().map(|value| size(*value)).collect()
            }
            _ => Err(broken("a shape is no tuple of a few numbers")),
        };
        let (shape, strides): (Vec<usize>, Vec<usize>) = (lengths(shape)?, lengths(strides)?);
        let Some(Object::Storage(storage)) = object(&self.objects, storage) else {
            return Err(broken("a tensor has no storage"));
        };
        if shape.len() != strides.len() {
            return Err(broken("a tensor has other axes than strides"));
        }
        Ok(Tensor {
            storage: *storage,
            offset: size(offset)?,
            shape,
            strides,
        })
    }

    /// What is named by something beside the pickle: here always a storage.
    fn storage(&mut self) -> Result<(), WeightsError> {
        let name = self.pop()?;
        let Some(Object::Tuple(parts)) = object(&self.objects, name) else {
            return Err(broken("a storage has no name"));
        };
        let [Value::Text("storage"), kind, Value::Text(key), _, len] = parts.as_slice() else {
            return Err(broken("a storage is named in another way"));
        };
        let Some(Object::Global(Global::StorageKind(number))) = object(&self.objects, *kind) else {
            return Err(broken("a storage is of no kind"));
        };
        let storage = Storage {
            key,
            number: *number,
            len: size(*len)?,
        };
        self.make(Object::Storage(storage));
        Ok(())
    }
}

const ENDS: &str = "it ends too early";

fn utf8(bytes: &[u8]) -> Result<&str, WeightsError> {
    std::str::from_utf8(bytes).map_err(|_| broken("a text is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::weights::number::Number;

    /// A tensor `[2, 3]` in storage 7 of six floats, as `torch.save` writes it.
    const TENSOR: &[u8] = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00((X\x07\0\0\0storageq\x01\
        ctorch\nFloatStorage\nq\x02X\x01\0\0\x007q\x03X\x03\0\0\0cpuq\x04K\x06tq\x05QK\x00K\x02K\x03\x86q\x06\
        K\x03K\x01\x86q\x07\x89ccollections\nOrderedDict\nq\x08)Rq\x09tq\x0aRq\x0b.";

    fn refused(bytes: &[u8]) -> String {
        Pickle::read(bytes).unwrap_err().to_string()
    }

    #[test]
    fn a_tensor_is_rebuilt() {
        let pickle = Pickle::read(TENSOR).unwrap();
        let tensor = Tensor {
            storage: Storage {
                key: "7",
                number: Some(Number::Single),
                len: 6,
            },
            offset: 0,
            shape: vec![2, 3],
            strides: vec![3, 1],
        };
        assert_eq!(pickle.object(pickle.root()), Some(&Object::Tensor(tensor)));
    }

    #[test]
    fn what_is_cut_is_refused() {
        for length in 0..TENSOR.len() {
            assert!(Pickle::read(&TENSOR[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn code_is_refused_by_name() {
        let error = refused(b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.");
        assert!(
            error.starts_with(r#"holds "os.system", which may be code"#),
            "{error}"
        );
        let error = refused(b"\x80\x04\x8c\x08__main__\x8c\x07Network\x93)\x81.");
        assert!(error.starts_with(r#"holds "__main__.Network""#), "{error}");
        // What is known does no more than it should.
        assert!(refused(b"ccollections\nOrderedDict\nK\x01\x85R.").contains("a call"));
        assert!(refused(b"ctorch\nFloatStorage\n)R.").contains("a call"));
        assert!(refused(b"X\x01\0\0\0a)R.").contains("a call"));
    }

    #[test]
    fn a_dict_may_hold_itself() {
        let pickle = Pickle::read(b"}q\x00X\x04\0\0\0selfh\x00s.").unwrap();
        let Some(Object::Dict(items)) = pickle.object(pickle.root()) else {
            panic!("{pickle:?}");
        };
        assert_eq!(items, &[(Value::Text("self"), Value::Object(0))]);
        let mut deep = b"(".repeat(100_000);
        deep.extend(b"t".repeat(100_000));
        deep.push(b'.');
        assert!(Pickle::read(&deep).is_ok());
    }

    #[test]
    fn what_no_stack_holds_is_refused() {
        for bytes in [
            &b"."[..],
            b"t.",
            b"u.",
            b"s.",
            b"R.",
            b"Q.",
            b"q\x00.",
            b"h\x00.",
            b"(q\x00.",
            b"K\x01(\x85.",
            b"K\x01(s.",
            b"K\x01K\x02K\x03s.",
            b"}(K\x01u.",
            b"NQ.",
            b"\x93.",
            b"I1\n.",
            b"\xff.",
            b"X\xff\xff\xff\xff.",
            b"c\xff\n\n.",
            b"cos",
            b"NN\x93.",
        ] {
            assert!(
                refused(bytes).starts_with("is no whole PyTorch file"),
                "{bytes:?}"
            );
        }
        let negative = TENSOR.to_vec();
        let at = negative.windows(2).position(|two| two == b"K\x03").unwrap();
        let mut negative = negative;
        negative.splice(at..at + 2, *b"J\xff\xff\xff\xff");
        assert!(refused(&negative).contains("a size is none"));
    }

    #[test]
    fn a_shape_has_a_few_axes() {
        let at = TENSOR
            .windows(5)
            .position(|part| part == b"K\x02K\x03\x86")
            .unwrap();
        let shaped = |axes: usize| {
            let mut bytes = TENSOR.to_vec();
            let shape = [b"(".to_vec(), b"K\x01".repeat(axes), b"t".to_vec()].concat();
            bytes.splice(at..at + 5, shape);
            refused(&bytes)
        };
        assert!(shaped(8).contains("other axes than strides"));
        assert!(shaped(9).contains("no tuple of a few numbers"));
    }

    #[test]
    fn whole_numbers_have_any_length() {
        fn read(bytes: &[u8]) -> Value<'_> {
            Pickle::read(bytes).unwrap().root()
        }
        assert_eq!(read(b"\x8a\x00."), Value::Whole(0));
        assert_eq!(read(b"\x8a\x01\xff."), Value::Whole(-1));
        assert_eq!(read(b"\x8a\x02\x00\x80."), Value::Whole(-32_768));
        assert_eq!(read(b"\x8a\x03\xa0\x86\x01."), Value::Whole(100_000));
        assert_eq!(read(b"\x8a\x09\0\0\0\0\0\0\0\0\x01."), Value::Other);
        assert_eq!(read(b"M\x40\x06."), Value::Whole(1_600));
        assert_eq!(read(b"J\xfe\xff\xff\xff."), Value::Whole(-2));
    }
}
