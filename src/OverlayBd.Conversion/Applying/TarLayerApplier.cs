// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using OverlayBd.Conversion.Ext4;
using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Applying;

/// <summary>Unpacks a layer's archive onto a file system that holds the layers below.</summary>
/// <remarks>
/// Source: OCI image-spec, layer.md, "Applying Changesets". What it leaves open: directories that no entry describes are
/// root's and 0755; symbolic links in front of the last component are followed within the root; an entry for a directory
/// that exists keeps its content and replaces its attributes; a hard link gives its attributes to the file it names.
/// </remarks>
internal sealed class TarLayerApplier
{
    private const int CopySize = 1024 * 1024;
    private const uint SymbolicLinkMode = 0b111_111_111;
    private readonly Ext4FileSystem _fileSystem;
    private readonly string _layer;
    private readonly LayerContents _contents = new();
    private readonly DirectoryResolver _directories;
    private readonly LowerContentRemover _remover;

    private TarLayerApplier(Ext4FileSystem fileSystem, string layer)
    {
        _fileSystem = fileSystem;
        _layer = layer;
        _directories = new DirectoryResolver(fileSystem, _contents);
        _remover = new LowerContentRemover(fileSystem, _contents);
    }

    /// <summary>Applies a whole archive. Nothing is undone when it fails: the file system is then to be given up.</summary>
    /// <param name="reader">The archive.</param>
    /// <param name="fileSystem">The file system; flushing it is the caller's.</param>
    /// <param name="layer">The layer's name for messages.</param>
    /// <param name="cancellationToken">Stops between two pieces of content.</param>
    /// <exception cref="InvalidDataException">The archive is malformed, or says what cannot be done.</exception>
    /// <exception cref="IOException">The archive or the store failed, or the file system is full.</exception>
    internal static async Task ApplyAsync(
        TarLayerReader reader, Ext4FileSystem fileSystem, string layer, CancellationToken cancellationToken = default)
    {
        var applier = new TarLayerApplier(fileSystem, layer);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(CopySize);
        try
        {
            while (await reader.ReadNextAsync(cancellationToken).ConfigureAwait(false) is TarEntry entry)
            {
                Ext4FileWriter? content = applier.Apply(entry);
                if (content is null)
                {
                    continue;
                }

                int read;
                while ((read = await reader.ReadContentAsync(buffer.AsMemory(0, CopySize), cancellationToken).ConfigureAwait(false)) > 0)
                {
                    content.Write(buffer.AsSpan(0, read));
                }

                content.Complete();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private Ext4FileWriter? Apply(TarEntry entry)
    {
        try
        {
            if (entry.Name.Length == 0)
            {
                ApplyRoot(entry);
                return null;
            }

            ReadOnlySpan<byte> name = LastComponent(entry.Name);
            if (Whiteout.IsBookkeeping(name) || Whiteout.IsBookkeeping(FirstComponent(entry.Name)))
            {
                return null;
            }

            uint parent = _directories.Resolve(Parent(entry.Name));
            if (Whiteout.IsOpaque(name))
            {
                _remover.HideContent(parent);
                _directories.Invalidate();
                return null;
            }

            if (Whiteout.TryGetHidden(name, out ReadOnlySpan<byte> hidden))
            {
                ApplyWhiteout(parent, hidden);
                return null;
            }

            return ApplyEntry(parent, name, entry);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"{Where(entry)}: {exception.Message}", exception);
        }
        catch (Ext4SpaceException exception)
        {
            throw exception.At(Where(entry));
        }
    }

    private Ext4FileWriter? ApplyEntry(uint parent, ReadOnlySpan<byte> name, TarEntry entry)
    {
        DirectoryEntry? existing = _fileSystem.TryFind(parent, name, out DirectoryEntry found) ? found : null;
        if (entry.Kind == TarEntryKind.HardLink)
        {
            ApplyHardLink(parent, name, existing, entry);
            return null;
        }

        if (entry.Kind == TarEntryKind.Directory && existing is { IsDirectory: true } directory)
        {
            _fileSystem.SetAttributes(directory.Inode, Attributes(entry));
            _contents.Add(directory.Inode);
            return null;
        }

        if (existing is DirectoryEntry replaced)
        {
            _remover.Remove(parent, replaced);
            _directories.Invalidate();
        }

        Ext4FileWriter? writer = null;
        uint inode;
        switch (entry.Kind)
        {
            case TarEntryKind.RegularFile:
                writer = _fileSystem.CreateFile(parent, name, entry.Size, entry.SparseMap, Attributes(entry));
                inode = writer.Inode;
                break;
            case TarEntryKind.Directory:
                inode = _fileSystem.CreateDirectory(parent, name, Attributes(entry));
                break;
            case TarEntryKind.SymbolicLink:
                inode = _fileSystem.CreateSymbolicLink(parent, name, entry.LinkName, Attributes(entry, SymbolicLinkMode));
                break;
            default:
                uint type = entry.Kind switch
                {
                    TarEntryKind.CharacterDevice => Ext4Mode.CharacterDevice,
                    TarEntryKind.BlockDevice => Ext4Mode.BlockDevice,
                    TarEntryKind.Fifo => Ext4Mode.Fifo,
                    _ => throw new InvalidDataException($"entries of kind {entry.Kind} cannot be unpacked"),
                };
                inode = _fileSystem.CreateSpecial(parent, name, type, entry.DeviceMajor, entry.DeviceMinor, Attributes(entry));
                break;
        }

        _contents.Add(inode);
        return writer;
    }

    private void ApplyRoot(TarEntry entry)
    {
        if (entry.Kind != TarEntryKind.Directory)
        {
            throw new InvalidDataException($"the root is a {entry.Kind} instead of a directory");
        }

        _fileSystem.SetAttributes(Ext4FileSystem.RootInode, Attributes(entry));
    }

    private void ApplyWhiteout(uint parent, ReadOnlySpan<byte> hidden)
    {
        if (hidden.IsEmpty || hidden.SequenceEqual("."u8) || hidden.SequenceEqual(".."u8))
        {
            throw new InvalidDataException("the whiteout hides no name that a file can have");
        }

        if (_fileSystem.TryFind(parent, hidden, out DirectoryEntry entry))
        {
            _remover.Hide(parent, entry);
            _directories.Invalidate();
        }
    }

    private void ApplyHardLink(uint parent, ReadOnlySpan<byte> name, DirectoryEntry? existing, TarEntry entry)
    {
        ReadOnlySpan<byte> targetName = LastComponent(entry.LinkName);
        DirectoryEntry target = default;
        bool found = !targetName.IsEmpty && _fileSystem.TryFind(_directories.Resolve(Parent(entry.LinkName)), targetName, out target);
        if (!found || target.IsDirectory)
        {
            throw new InvalidDataException(
                $"the hard link's target '{TarText.Show(entry.LinkName)}' {(found ? "is a directory" : "does not exist")}");
        }

        if (existing?.Inode != target.Inode)
        {
            // The name first: what it replaces may be a directory that holds the target's only other name.
            _fileSystem.Retain(target.Inode);
            if (existing is DirectoryEntry replaced)
            {
                _remover.Remove(parent, replaced);
            }

            _fileSystem.AddRetainedName(parent, name, target);
            _directories.Invalidate();
        }

        bool isLink = target.Type == Ext4Mode.ToEntryType(Ext4Mode.SymbolicLink);
        List<ExtendedAttribute> merged = Merge(_fileSystem.ReadExtendedAttributes(target.Inode), entry.ExtendedAttributes);
        _fileSystem.SetAttributes(target.Inode, Attributes(entry, isLink ? SymbolicLinkMode : entry.Mode, merged));
        if (!_contents.Contains(parent, target with { Name = name.ToArray() }))
        {
            _contents.AddName(parent, name);
        }
    }

    private static List<ExtendedAttribute> Merge(List<ExtendedAttribute> present, IReadOnlyList<ExtendedAttribute> added)
    {
        foreach (ExtendedAttribute attribute in added)
        {
            present.RemoveAll(other => other.Name.AsSpan().SequenceEqual(attribute.Name));
            present.Add(attribute);
        }

        return present;
    }

    private static Ext4Attributes Attributes(
        TarEntry entry, uint? mode = null, IReadOnlyList<ExtendedAttribute>? extendedAttributes = null)
    {
        return new Ext4Attributes
        {
            Mode = mode ?? entry.Mode,
            Uid = entry.Uid,
            Gid = entry.Gid,
            ModificationTime = entry.ModificationTime,
            AccessTime = entry.AccessTime,
            ChangeTime = entry.ChangeTime,
            ExtendedAttributes = extendedAttributes ?? entry.ExtendedAttributes,
        };
    }

    private static ReadOnlySpan<byte> Parent(byte[] path)
    {
        int slash = path.AsSpan().LastIndexOf((byte)'/');
        return slash < 0 ? default : path.AsSpan(0, slash);
    }

    private static ReadOnlySpan<byte> LastComponent(byte[] path) => path.AsSpan(path.AsSpan().LastIndexOf((byte)'/') + 1);

    private static ReadOnlySpan<byte> FirstComponent(byte[] path)
    {
        int slash = path.AsSpan().IndexOf((byte)'/');
        return slash < 0 ? path : path.AsSpan(0, slash);
    }

    private string Where(TarEntry entry) =>
        $"{_layer}, entry '{TarText.Show(entry.Name)}' at byte {entry.HeaderOffset}";
}
