// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Snapshotter.Devices;
using OverlayBd.Snapshotter.Layout;
using OverlayBd.Snapshotter.Mounting;

namespace OverlayBd.Snapshotter.Storage;

/// <summary>A disk of limited size, in a sparse file, that takes what a container writes: a limit that needs no quota of the file system.</summary>
internal static class LimitedDisk
{
    private const long Smallest = 4L << 20;
    private static readonly FileSystemSpec s_format = FileSystemSpec.Parse("ext4;;-q -F -m 0 -O ^has_journal -E lazy_itable_init=1,root_owner=0:0");

    public static string FilesOf(SnapshotDirectory directory) => Path.Combine(directory.LimitedMount, "fs");

    public static string WorkOf(SnapshotDirectory directory) => Path.Combine(directory.LimitedMount, "work");

    public static bool Exists(SnapshotDirectory directory) => File.Exists(directory.LimitedDisk);

    /// <summary>Makes the disk.</summary>
    public static async Task CreateAsync(SnapshotDirectory directory, long size, CancellationToken cancellationToken)
    {
        SnapshotLayout.CreateBlock(directory);
        string temporary = directory.LimitedDisk + ".new";
        using (FileStream file = File.Create(temporary))
        {
            file.SetLength(Math.Max(size, Smallest));
        }

        await FileSystemMaker.FormatAsync(s_format, temporary, cancellationToken).ConfigureAwait(false);
        File.Move(temporary, directory.LimitedDisk);
    }

    /// <summary>Mounts the disk, unless it is mounted.</summary>
    public static async Task MountAsync(SnapshotDirectory directory)
    {
        if (MountTable.Read().FindAt(directory.LimitedMount) is null)
        {
            Directory.CreateDirectory(directory.LimitedMount);
            await RunAsync("mount", "-t", "ext4", "-o", "loop,discard", directory.LimitedDisk, directory.LimitedMount).ConfigureAwait(false);
        }

        const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        Directory.CreateDirectory(FilesOf(directory), Readable);
        File.SetUnixFileMode(FilesOf(directory), Readable);
        Directory.CreateDirectory(WorkOf(directory));
    }

    /// <summary>Copies what was written to where a committed snapshot has it, and removes the disk.</summary>
    public static async Task DissolveAsync(SnapshotDirectory directory)
    {
        await MountAsync(directory).ConfigureAwait(false);
        if (MountTable.Read().IsUpperOfOverlay(FilesOf(directory)))
        {
            throw SnapshotException.Precondition($"{directory.LimitedMount} is in use");
        }

        await RunAsync("cp", "-a", "--", FilesOf(directory) + "/.", directory.Files).ConfigureAwait(false);
        Unmount(directory);
        File.Delete(directory.LimitedDisk);
    }

    /// <exception cref="SnapshotException">Somebody uses it.</exception>
    public static void Unmount(SnapshotDirectory directory)
    {
        // An overlay keeps the disk without keeping its mount.
        if (MountTable.Read().IsUpperOfOverlay(FilesOf(directory)) || !BlockMount.TryUnmount(directory.LimitedMount))
        {
            throw SnapshotException.Precondition($"{directory.LimitedMount} is in use");
        }
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardInput = true })!;
        process.StandardInput.Close();
        string error = await process.StandardError.ReadToEndAsync(CancellationToken.None).ConfigureAwait(false);
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        if (process.ExitCode != 0)
        {
            throw new SnapshotException(SnapshotError.Unknown, $"{program} {arguments[^1]} ended with {process.ExitCode}: {error.Trim()}");
        }
    }
}
