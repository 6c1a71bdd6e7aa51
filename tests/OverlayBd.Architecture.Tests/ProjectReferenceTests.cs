// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Architecture.Tests;

public sealed class ProjectReferenceTests
{
    public static TheoryData<string> Projects { get; } = [.. Repository.Projects("src", "hosts").Select(p => Repository.Relative(p.Path))];

    [Theory]
    [MemberData(nameof(Projects))]
    public void ProjectReferences_OfLibrariesAndHosts_AreAllowedByTheTable(string path)
    {
        ProjectFile project = Load(path);
        Assert.True(LayerRules.Projects.TryGetValue(project.Name, out string[]? allowed), $"{project} is not in the table of layers.");
        Assert.Empty(project.ProjectReferences.Except(allowed!));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void PackageReferences_OfLibraries_AreAllowedByTheTable(string path)
    {
        ProjectFile project = Load(path);
        if (LayerRules.Packages.TryGetValue(project.Name, out string[]? allowed))
        {
            Assert.Empty(project.PackageReferences.Except(allowed));
        }
    }

    [Fact]
    public void Table_OfLayers_HasNoCycle()
    {
        foreach (string project in LayerRules.Projects.Keys)
        {
            Assert.DoesNotContain(project, ReachableFrom(project));
        }
    }

    [Fact]
    public void Table_OfPackages_HasEveryLibrary() =>
        Assert.Empty(Repository.Projects("src").Select(p => p.Name).Except(LayerRules.Packages.Keys));

    [Fact]
    public void Versions_OfPackages_StandInOnePlace()
    {
        foreach (ProjectFile project in Repository.Projects("src", "hosts", "tests", "benchmarks"))
        {
            Assert.DoesNotMatch("PackageReference[^>]*Version", File.ReadAllText(project.Path));
        }
    }

    private static ProjectFile Load(string path) => ProjectFile.Load(Path.Combine(Repository.Root, path));

    private static HashSet<string> ReachableFrom(string project)
    {
        HashSet<string> reached = [];
        Stack<string> open = new(LayerRules.Projects[project]);
        while (open.TryPop(out string? next))
        {
            if (reached.Add(next))
            {
                foreach (string further in LayerRules.Projects[next])
                {
                    open.Push(further);
                }
            }
        }

        return reached;
    }
}
