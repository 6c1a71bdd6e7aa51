// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Conversion.Interop;

/// <summary>The texts of libext2fs' error codes.</summary>
internal static unsafe partial class LibComErr
{
    private const string Library = "libcom_err.so.2";

    [LibraryImport(Library, EntryPoint = "error_message")]
    internal static partial byte* ErrorMessage(nint code);

    [LibraryImport("libext2fs.so.2", EntryPoint = "initialize_ext2_error_table")]
    internal static partial void InitializeExt2ErrorTable();
}
