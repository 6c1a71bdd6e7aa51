// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OverlayBd.Conversion.Ext4;

namespace OverlayBd.Conversion.Interop;

/// <summary>Serves libext2fs' device calls from a <see cref="WriteBackCache"/>.</summary>
/// <remarks>
/// An exception must never unwind into C: it is kept, the library gets EIO, and <see cref="TakeError"/> hands the
/// exception to the managed code that called the library.
/// </remarks>
internal sealed unsafe class Ext2Device
{
    private const nint InputOutputError = 5;
    private static readonly IoManager* s_manager = CreateManager();
    private Exception? _error;

    internal Ext2Device(WriteBackCache cache) => Cache = cache;

    /// <summary>Gets the table of calls, which is the same for every device and lives as long as the process.</summary>
    internal static IoManager* Manager => s_manager;

    internal WriteBackCache Cache { get; }

    /// <summary>Returns the exception a call ended with, once.</summary>
    internal Exception? TakeError() => Interlocked.Exchange(ref _error, null);

    private static IoManager* CreateManager()
    {
        ReadOnlySpan<byte> name = "overlaybd\0"u8;
        byte* nativeName = (byte*)NativeMemory.Alloc((nuint)name.Length);
        name.CopyTo(new Span<byte>(nativeName, name.Length));
        var manager = (IoManager*)NativeMemory.AllocZeroed((nuint)sizeof(IoManager));
        manager->Magic = IoManager.ExpectedMagic;
        manager->Name = nativeName;
        manager->Open = &Open;
        manager->Close = &Close;
        manager->SetBlockSize = &SetBlockSize;
        manager->ReadBlock = &ReadBlock;
        manager->WriteBlock = &WriteBlock;
        manager->Flush = &Flush;
        manager->ReadBlock64 = &ReadBlock64;
        manager->WriteBlock64 = &WriteBlock64;
        manager->Discard = &ZeroOut;
        manager->CacheReadAhead = &CacheReadAhead;
        manager->ZeroOut = &ZeroOut;
        return manager;
    }

    // The name is the device's GC handle in decimal: the library passes it through untouched.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Open(byte* name, int flags, IoChannel** result)
    {
        try
        {
            ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
            nint handle = nint.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
            var channel = (IoChannel*)NativeMemory.AllocZeroed((nuint)sizeof(IoChannel));
            channel->Name = (byte*)NativeMemory.AllocZeroed((nuint)text.Length + 1);
            text.CopyTo(new Span<byte>(channel->Name, text.Length));
            channel->Magic = IoChannel.ExpectedMagic;
            channel->Manager = s_manager;
            channel->BlockSize = 1024;
            channel->ReferenceCount = 1;
            channel->PrivateData = (void*)handle;
            *result = channel;
            return 0;
        }
        catch (Exception exception) when (exception is FormatException or OutOfMemoryException)
        {
            return InputOutputError;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Close(IoChannel* channel)
    {
        if (--channel->ReferenceCount == 0)
        {
            NativeMemory.Free(channel->Name);
            NativeMemory.Free(channel);
        }

        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint SetBlockSize(IoChannel* channel, int size)
    {
        channel->BlockSize = size;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint ReadBlock(IoChannel* channel, nuint block, int count, void* buffer) => Read(channel, block, count, buffer);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint WriteBlock(IoChannel* channel, nuint block, int count, void* buffer) => Write(channel, block, count, buffer);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint ReadBlock64(IoChannel* channel, ulong block, int count, void* buffer) => Read(channel, block, count, buffer);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint WriteBlock64(IoChannel* channel, ulong block, int count, void* buffer) => Write(channel, block, count, buffer);

    // The cache is written back by whoever owns it, in one go and in order.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Flush(IoChannel* channel) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint CacheReadAhead(IoChannel* channel, ulong block, ulong count) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint ZeroOut(IoChannel* channel, ulong block, ulong count)
    {
        Ext2Device device = Target(channel);
        try
        {
            device.Cache.Zero(checked((long)block * channel->BlockSize), checked((long)count * channel->BlockSize));
            return 0;
        }
        catch (Exception exception)
        {
            return device.Keep(exception);
        }
    }

    private static nint Read(IoChannel* channel, ulong block, int count, void* buffer)
    {
        Ext2Device device = Target(channel);
        try
        {
            device.Cache.Read(checked((long)block * channel->BlockSize), Bytes(channel, count, buffer));
            return 0;
        }
        catch (Exception exception)
        {
            return device.Keep(exception);
        }
    }

    private static nint Write(IoChannel* channel, ulong block, int count, void* buffer)
    {
        Ext2Device device = Target(channel);
        try
        {
            device.Cache.Write(checked((long)block * channel->BlockSize), Bytes(channel, count, buffer));
            return 0;
        }
        catch (Exception exception)
        {
            return device.Keep(exception);
        }
    }

    private static Ext2Device Target(IoChannel* channel) =>
        (Ext2Device)GCHandle.FromIntPtr((nint)channel->PrivateData).Target!;

    // A negative count is a number of bytes instead of blocks.
    private static Span<byte> Bytes(IoChannel* channel, int count, void* buffer) =>
        new(buffer, checked(count < 0 ? -count : count * channel->BlockSize));

    private nint Keep(Exception exception)
    {
        _error ??= exception;
        return InputOutputError;
    }
}
