// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;
using OverlayBd.Snapshotter.Interop;
using OverlayBd.Snapshotter.Layout;

namespace OverlayBd.Snapshotter.Storage;

/// <summary>A limit by the file system: what a container writes belongs to a project of its own, which may not take more.</summary>
/// <remarks>The upper and the work directory are of the same project, or nothing could be renamed from one to the other. Who writes without
/// an overlay in between and may go beyond every limit, as root may on ext4, is not held by it.</remarks>
internal static class ProjectQuota
{
    /// <summary>Projects below are left to whoever counts them by hand.</summary>
    private const uint FirstProject = 1 << 24;

    /// <summary>Limits a new snapshot; false when the file system does not enforce quotas of projects.</summary>
    public static bool TryLimit(SnapshotDirectory directory, long id, long bytes)
    {
        using SafeFileHandle files = Open(directory.Files);
        if (!QuotaCalls.IsEnforced(files))
        {
            return false;
        }

        using SafeFileHandle work = Open(directory.Work);
        uint project = ProjectOf(id);
        QuotaCalls.SetLimit(files, project, bytes);
        QuotaCalls.JoinProject(files, project);
        QuotaCalls.JoinProject(work, project);
        return true;
    }

    /// <summary>Ends a limit, if there is one: an unused project without a limit takes no place in the table of quotas.</summary>
    public static void Lift(SnapshotDirectory directory, long id)
    {
        if (!Directory.Exists(directory.Files))
        {
            return;
        }

        using SafeFileHandle files = Open(directory.Files);
        if (QuotaCalls.ReadProject(files) == ProjectOf(id) && QuotaCalls.IsEnforced(files))
        {
            QuotaCalls.SetLimit(files, ProjectOf(id), 0);
        }
    }

    private static uint ProjectOf(long id) => unchecked(FirstProject + (uint)id);

    private static SafeFileHandle Open(string path) => LinuxCalls.OpenDirectory(path);
}
