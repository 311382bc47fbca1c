//! Replaces a C function that a loaded library imports, for that library alone.
//!
//! A shared library calls imported functions through slots that the loader fills (ELF, "Relocation"). The tables that
//! say which slot belongs to which name stay in memory, so that the slots can be filled anew.
#![allow(unsafe_code, reason = "the loader's tables are C structures")]

use std::ffi::{CStr, c_int, c_void};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use nix::libc::{
    _SC_PAGESIZE, Elf64_Addr, Elf64_Phdr, Elf64_Rela, Elf64_Sym, PROT_READ, PROT_WRITE, PT_DYNAMIC, PT_GNU_RELRO,
    dl_iterate_phdr, dl_phdr_info, mprotect, sysconf,
};

/// An entry of the dynamic section.
#[repr(C)]
struct Dynamic {
    tag: i64,
    value: u64,
}

const DT_NULL: i64 = 0;
const DT_PLTRELSZ: i64 = 2;
const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const DT_JMPREL: i64 = 23;
const DT_RELACOUNT: i64 = 0x6fff_fff9;

/// Relocations that hold the plain address of a function: absolute, of the global offset table, and of calls.
const ADDRESSES: [u64; 3] = if cfg!(target_arch = "aarch64") { [257, 1025, 1026] } else { [1, 6, 7] };

struct Wanted<'a> {
    /// An address inside the library.
    inside: usize,
    name: &'a CStr,
    replacement: usize,
    /// In bytes; 0 where the system does not say.
    page: usize,
    replaced: usize,
    /// Slots that could not be made writable.
    kept: usize,
}

/// Fills every slot of `name` in the library that holds the address `inside`; false when there are none, or when one could
/// not be filled.
///
/// # Safety
///
/// `replacement` is a C function of the type of `name`, and lives as long as the process.
pub(crate) unsafe fn replace(inside: usize, name: &CStr, replacement: usize) -> bool {
    // A page that one makes writable is not sealed by another meanwhile.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _held = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: takes and gives a number.
    let page = usize::try_from(unsafe { sysconf(_SC_PAGESIZE) }).unwrap_or(0);
    let mut wanted = Wanted { inside, name, replacement, page, replaced: 0, kept: 0 };
    // SAFETY: the callback gets the pointer to `wanted`, which lives through the call and is used by nobody else.
    unsafe { dl_iterate_phdr(Some(visit), (&raw mut wanted).cast()) };
    wanted.replaced > 0 && wanted.kept == 0
}

unsafe extern "C" fn visit(info: *mut dl_phdr_info, _: usize, wanted: *mut c_void) -> c_int {
    // SAFETY: the loader gives a description that lives through the call, and the pointer is that of `replace`.
    let (info, wanted) = unsafe { (&*info, &mut *wanted.cast::<Wanted>()) };
    // SAFETY: as the loader describes it.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let base = address(info.dlpi_addr);
    let holds = |header: &Elf64_Phdr| {
        let start = base.wrapping_add(address(header.p_vaddr));
        (start..start.wrapping_add(address(header.p_memsz))).contains(&wanted.inside)
    };
    if !headers.iter().any(holds) {
        return 0;
    }
    let dynamic = headers.iter().find(|header| header.p_type == PT_DYNAMIC);
    // As glibc seals them: a page that is not wholly theirs at the end stays writable.
    let sealed = headers.iter().find(|header| header.p_type == PT_GNU_RELRO).map_or(0..0, |header| {
        let start = base + address(header.p_vaddr);
        page_of(start, wanted.page)..page_of(start + address(header.p_memsz), wanted.page)
    });
    if let Some(dynamic) = dynamic {
        // SAFETY: the header describes the dynamic section of a library that is loaded and is never unloaded.
        unsafe { fill(base, base + address(dynamic.p_vaddr), &sealed, wanted) };
    }
    1
}

/// # Safety
///
/// `dynamic` is the address of the dynamic section of a library loaded at `base`, and `sealed` its read-only slots.
unsafe fn fill(base: usize, dynamic: usize, sealed: &Range<usize>, wanted: &mut Wanted<'_>) {
    let value = |tag: i64| {
        let mut entry = dynamic as *const Dynamic;
        // SAFETY: the section ends with an entry of tag 0.
        unsafe {
            while (*entry).tag != DT_NULL && (*entry).tag != tag {
                entry = entry.add(1);
            }
            if (*entry).tag == tag { address((*entry).value) } else { 0 }
        }
    };
    // glibc has made absolute addresses of these; other loaders leave them relative.
    let absolute = |tag: i64| if value(tag) < base { base + value(tag) } else { value(tag) };
    let (symbols, names) = (absolute(DT_SYMTAB) as *const Elf64_Sym, absolute(DT_STRTAB));
    let size = size_of::<Elf64_Rela>();
    let relative = value(DT_RELACOUNT);
    let tables = [
        (absolute(DT_RELA) + relative * size, (value(DT_RELASZ) / size).saturating_sub(relative)),
        (absolute(DT_JMPREL), value(DT_PLTRELSZ) / size),
    ];
    for (table, count) in tables {
        for nth in 0..count {
            // SAFETY: the table has `count` entries, each names a symbol, and each symbol a text that ends with NUL; the
            // slot is a pointer of the library, which other threads only read.
            unsafe {
                let entry = &*(table as *const Elf64_Rela).add(nth);
                let symbol = &*symbols.add(address(entry.r_info >> 32));
                let name = CStr::from_ptr((names + symbol.st_name as usize) as *const _);
                if ADDRESSES.contains(&(entry.r_info & 0xffff_ffff)) && name == wanted.name {
                    let is_set = set(base + address(entry.r_offset), sealed, wanted);
                    *(if is_set { &mut wanted.replaced } else { &mut wanted.kept }) += 1;
                }
            }
        }
    }
}

/// False when the slot can't be made writable.
///
/// # Safety
///
/// `slot` is the address of a pointer; where it is in `sealed`, its page can only be read.
unsafe fn set(slot: usize, sealed: &Range<usize>, wanted: &Wanted<'_>) -> bool {
    let page = page_of(slot, wanted.page) as *mut c_void;
    // SAFETY: the page is the library's, and gets back the rights that the loader gave it.
    unsafe {
        if sealed.contains(&slot) && mprotect(page, wanted.page, PROT_READ | PROT_WRITE) != 0 {
            return false;
        }
        (*(slot as *const AtomicUsize)).store(wanted.replacement, Ordering::Relaxed);
        if sealed.contains(&slot) {
            mprotect(page, wanted.page, PROT_READ);
        }
    }
    true
}

/// The start of the page of an address.
const fn page_of(address: usize, page: usize) -> usize {
    address & !page.saturating_sub(1)
}

/// A number of the loader's as one to calculate addresses with: both have 64 bits.
#[allow(clippy::cast_possible_truncation, reason = "only 64-bit systems have the library")]
const fn address(number: Elf64_Addr) -> usize {
    number as usize
}
