// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using OverlayBd.Conversion.Ext4;

namespace OverlayBd.Conversion.Interop;

/// <summary>An open libext2fs file system and the device below it.</summary>
/// <remarks>Closing the handle writes nothing; what was not flushed is forgotten.</remarks>
internal sealed unsafe class Ext2Handle : SafeHandle
{
    private const int SixtyFourBits = 0x20000;
    private const int ReadWrite = 1;
    private GCHandle _pinnedDevice;

    private Ext2Handle(WriteBackCache cache)
        : base(0, ownsHandle: true)
    {
        Device = new Ext2Device(cache);
        _pinnedDevice = GCHandle.Alloc(Device);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Gets the library's object; valid until the handle is disposed.</summary>
    internal Ext2FileSystem* FileSystem => (Ext2FileSystem*)handle;

    internal Ext2Device Device { get; }

    /// <summary>Opens the file system that lies in the store below <paramref name="cache"/>.</summary>
    /// <exception cref="InvalidDataException">There is no file system the library understands.</exception>
    /// <exception cref="IOException">The store failed.</exception>
    internal static Ext2Handle Open(WriteBackCache cache)
    {
        return Create(cache, (name, result) => LibExt2.Open(
            (byte*)name, null, SixtyFourBits | (cache.IsReadOnly ? 0 : ReadWrite), 0, 0, Ext2Device.Manager, (Ext2FileSystem**)result));
    }

    /// <summary>Lays out a new file system; nothing is written before the first flush.</summary>
    internal static Ext2Handle Initialize(WriteBackCache cache, ref readonly Ext2SuperBlock parameters)
    {
        fixed (Ext2SuperBlock* pointer = &parameters)
        {
            nint address = (nint)pointer;
            return Create(cache, (name, result) => LibExt2.Initialize(
                (byte*)name, SixtyFourBits, (Ext2SuperBlock*)address, Ext2Device.Manager, (Ext2FileSystem**)result));
        }
    }

    /// <summary>Throws for a code that is not 0: first what the device ended with, else the library's own text.</summary>
    internal void Check(nint code, string action)
    {
        if (code != 0)
        {
            throw Ext2Error.ToException(code, Device.TakeError(), action);
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        LibExt2.Free(FileSystem);
        _pinnedDevice.Free();
        return true;
    }

    private static Ext2Handle Create(WriteBackCache cache, Func<nint, nint, nint> open)
    {
        Ext2Library.Load();
        var created = new Ext2Handle(cache);
        Ext2FileSystem* fileSystem = null;
        byte[] name = Encoding.ASCII.GetBytes(
            GCHandle.ToIntPtr(created._pinnedDevice).ToString(CultureInfo.InvariantCulture) + "\0");
        nint code;
        fixed (byte* namePointer = name)
        {
            code = open((nint)namePointer, (nint)(&fileSystem));
        }

        if (code != 0)
        {
            Exception? cause = created.Device.TakeError();
            created._pinnedDevice.Free();
            created.SetHandleAsInvalid();
            throw Ext2Error.ToException(code, cause, "The ext4 file system cannot be opened");
        }

        created.SetHandle((nint)fileSystem);
        Ext2Library.CheckLayout(fileSystem);
        return created;
    }
}
