// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format.Lsmt;

/// <summary>The index file of a writable layer: a header, then one record for each write or discard, the later winning
/// (overlaybd lsmt/file.cpp), with this library's notes among them.</summary>
internal sealed class LsmtIndexLog : IDisposable
{
    private long _end;

    public LsmtIndexLog(SafeFileHandle file, string path, long end)
    {
        Handle = file;
        Path = path;
        _end = end;
    }

    /// <summary>Gets the open file.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Gets the path, for messages.</summary>
    public string Path { get; }

    /// <summary>Gets the number of records so far, padding and what has only been reserved included.</summary>
    public uint Count => (uint)((Volatile.Read(ref _end) - LsmtConstants.HeaderSpace) / LsmtMapping.Size);

    /// <summary>Reserves places for records. Their order in the file is the order of the reservations.</summary>
    /// <returns>The byte at which the first record goes.</returns>
    public long Reserve(int records) => Interlocked.Add(ref _end, (long)records * LsmtMapping.Size) - ((long)records * LsmtMapping.Size);

    /// <summary>Writes records to their reserved place.</summary>
    public void Write(long position, ReadOnlySpan<LsmtMapping> records) =>
        RandomAccess.Write(Handle, MemoryMarshal.AsBytes(records), position);

    /// <summary>Makes what was written durable.</summary>
    public void Flush() => RandomAccess.FlushToDisk(Handle);

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();
}
