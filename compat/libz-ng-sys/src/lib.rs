//! The part of `libz-ng-sys` that `flate2` calls, answered by `libz-rs-sys`, zlib in Rust.
//!
//! pingora-core asks `flate2` for zlib-ng, whose crate builds a C library with CMake. Evenkeel compresses nothing, and
//! a C compiler is all that building it may ask for, so the workspace's `Cargo.toml` puts this crate in its place.
//! `flate2` is left as it is; see `docs/adr/0002-zlib-without-cmake.md`.
#![allow(non_snake_case, non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // each function has the contract of zlib's function of that name

use libz_rs_sys as z;
use std::ffi::{c_char, c_int, c_void};

pub use z::{
    Z_BEST_COMPRESSION, Z_BEST_SPEED, Z_BLOCK, Z_BUF_ERROR, Z_DATA_ERROR, Z_DEFAULT_COMPRESSION,
    Z_DEFAULT_STRATEGY, Z_DEFLATED, Z_ERRNO, Z_FINISH, Z_FULL_FLUSH, Z_MEM_ERROR, Z_NEED_DICT,
    Z_NO_COMPRESSION, Z_NO_FLUSH, Z_OK, Z_PARTIAL_FLUSH, Z_STREAM_END, Z_STREAM_ERROR,
    Z_SYNC_FLUSH, Z_VERSION_ERROR, uInt, uLong, zlibVersion,
};

/// How a stream obtains memory.
pub type alloc_func = unsafe extern "C" fn(*mut c_void, uInt, uInt) -> *mut c_void;
/// How a stream gives memory back.
pub type free_func = unsafe extern "C" fn(*mut c_void, *mut c_void);

/// `z::z_stream` with the allocator's functions not optional, as callers of `libz-ng-sys` fill it in.
#[repr(C)]
#[derive(Copy, Clone)]
pub struct z_stream {
    pub next_in: *mut u8,
    pub avail_in: uInt,
    pub total_in: uLong,
    pub next_out: *mut u8,
    pub avail_out: uInt,
    pub total_out: uLong,
    pub msg: *mut c_char,
    pub state: *mut c_void,
    pub zalloc: alloc_func,
    pub zfree: free_func,
    pub opaque: *mut c_void,
    pub data_type: c_int,
    pub adler: uLong,
    pub reserved: uLong,
}

// The casts below rest on the two structures having one layout: a function pointer and an optional one are the same.
const _: () = {
    use std::mem::{align_of, offset_of, size_of};
    assert!(size_of::<z_stream>() == size_of::<z::z_stream>());
    assert!(align_of::<z_stream>() == align_of::<z::z_stream>());
    assert!(offset_of!(z_stream, avail_out) == offset_of!(z::z_stream, avail_out));
    assert!(offset_of!(z_stream, msg) == offset_of!(z::z_stream, msg));
    assert!(offset_of!(z_stream, zalloc) == offset_of!(z::z_stream, zalloc));
    assert!(offset_of!(z_stream, opaque) == offset_of!(z::z_stream, opaque));
    assert!(offset_of!(z_stream, adler) == offset_of!(z::z_stream, adler));
};

macro_rules! forward {
    ($($name:ident($($arg:ident: $ty:ty),*);)*) => {$(
        pub unsafe fn $name(strm: *mut z_stream, $($arg: $ty),*) -> c_int {
            unsafe { z::$name(strm.cast::<z::z_stream>(), $($arg),*) }
        }
    )*};
}

forward! {
    deflate(flush: c_int);
    deflateEnd();
    deflateReset();
    deflateParams(level: c_int, strategy: c_int);
    deflateSetDictionary(dictionary: *const u8, length: uInt);
    deflateInit2_(level: c_int, method: c_int, window_bits: c_int, memory_level: c_int, strategy: c_int,
        version: *const c_char, stream_size: c_int);
    inflate(flush: c_int);
    inflateEnd();
    inflateReset2(window_bits: c_int);
    inflateSetDictionary(dictionary: *const u8, length: uInt);
    inflateInit2_(window_bits: c_int, version: *const c_char, stream_size: c_int);
}
