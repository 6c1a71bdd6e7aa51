// SPDX-License-Identifier: Apache-2.0

using System.Xml.Linq;

namespace OverlayBd.Architecture.Tests;

/// <summary>What a project file says about whom the project uses.</summary>
internal sealed class ProjectFile
{
    private ProjectFile(string path)
    {
        Path = path;
        Name = System.IO.Path.GetFileNameWithoutExtension(path);
        LineCount = File.ReadLines(path).Count();
        XDocument document = XDocument.Load(path);
        ProjectReferences = [.. Includes(document, "ProjectReference").Select(NameOf)];
        PackageReferences = [.. Includes(document, "PackageReference")];
    }

    public string Path { get; }

    public string Name { get; }

    public int LineCount { get; }

    public IReadOnlyList<string> ProjectReferences { get; }

    public IReadOnlyList<string> PackageReferences { get; }

    public static ProjectFile Load(string path) => new(path);

    public override string ToString() => Name;

    private static IEnumerable<string> Includes(XDocument document, string element) =>
        document.Descendants(element).Select(e => (string?)e.Attribute("Include")).OfType<string>();

    private static string NameOf(string reference) => System.IO.Path.GetFileNameWithoutExtension(reference.Replace('\\', '/'));
}
