// Hearts in 3-D beside each other: one canvas, one light, one camera, a place for each.
import {
  AmbientLight,
  BufferAttribute,
  BufferGeometry,
  Color,
  DirectionalLight,
  DoubleSide,
  Group,
  HemisphereLight,
  LineBasicMaterial,
  LineLoop,
  Mesh,
  MeshBasicMaterial,
  MeshPhongMaterial,
  PerspectiveCamera,
  Plane,
  Scene,
  Shape,
  ShapeGeometry,
  Spherical,
  Vector2,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { COLOURS, colourAt } from "./colours.js";
import { displacement, section } from "./mesh.js";

const LOOK = { lv: [0, "lv"], wall: [1, "myo"], rv: [2, "rv"] };
const PAPER = "#f4f2ee";

/** Let a material be clearer where one looks at it straight on, as a thin wall is. */
function glassy(material, face) {
  material.transparent = true;
  material.depthWrite = false;
  material.onBeforeCompile = (shader) => {
    shader.fragmentShader = shader.fragmentShader.replace(
      "#include <opaque_fragment>",
      `diffuseColor.a = mix(${face.toFixed(2)}, 0.92, pow(1.0 - abs(dot(normalize(normal), normalize(vViewPosition))), 1.8));
       #include <opaque_fragment>`,
    );
  };
  return material;
}

/** One heart: its surfaces, and the faces of a cut through them. */
class Body {
  constructor(template, vertexCount, plane) {
    this.template = template;
    this.group = new Group();
    this.position = new BufferAttribute(new Float32Array(3 * vertexCount), 3);
    this.colour = new BufferAttribute(new Float32Array(3 * vertexCount), 3);
    this.values = new Float32Array(vertexCount);
    this.surfaces = {};
    const parts = {
      lv: template.walls[0],
      wall: Uint16Array.from([...template.walls[1], ...template.rim]),
      rv: template.walls[2],
    };
    for (const [name, index] of Object.entries(parts)) {
      const geometry = new BufferGeometry();
      geometry.setAttribute("position", this.position);
      geometry.setAttribute("color", this.colour);
      geometry.setAttribute("normal", new BufferAttribute(new Float32Array(3 * vertexCount), 3));
      geometry.setIndex(new BufferAttribute(index, 1));
      const look = { color: COLOURS[LOOK[name][1]], shininess: 22, specular: "#33302c", side: DoubleSide };
      if (name === "rv")
        Object.assign(look, { polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 3000 });
      const plain = new MeshPhongMaterial(look);
      const mesh = new Mesh(geometry, plain);
      mesh.frustumCulled = false;
      mesh.renderOrder = name === "wall" ? 2 : 1;
      const glass = glassy(new MeshPhongMaterial(look), name === "wall" ? 0.16 : 0.3);
      const painted = new MeshPhongMaterial({ ...look, color: "#ffffff", vertexColors: true });
      for (const material of [plain, glass, painted]) material.clippingPlanes = [plane];
      this.surfaces[name] = { mesh, plain, glass, painted };
      this.group.add(mesh);
    }
    this.caps = new Group();
    this.group.add(this.caps);
  }

  /** @param vertices of this moment; @param first of end-diastole, to measure displacement from */
  show(vertices, first, style) {
    this.position.array.set(vertices);
    this.position.needsUpdate = true;
    for (const [name, { mesh, plain, glass, painted }] of Object.entries(this.surfaces)) {
      const valued = style.colour === "displacement" || (style.colour === "thickness" && name !== "rv");
      const clear = name === "wall" && style.glass;
      mesh.material = valued && !clear ? painted : clear ? glass : plain;
      mesh.geometry.computeVertexNormals();
    }
    if (style.colour !== "tissue") this.paint(vertices, first, style);
    this.cap(vertices, style);
  }

  /** A translucent surface around the cavities, as far out as they may be. */
  surround(halo) {
    if (!halo) return;
    if (!this.halo) {
      this.halo = new BufferAttribute(new Float32Array(halo.length), 3);
      for (const name of ["lv", "rv"]) {
        const geometry = new BufferGeometry();
        geometry.setAttribute("position", this.halo);
        geometry.setIndex(this.surfaces[name].mesh.geometry.index);
        const { clippingPlanes } = this.surfaces[name].plain;
        const material = new MeshBasicMaterial({ color: COLOURS[name], side: DoubleSide, clippingPlanes });
        Object.assign(material, { transparent: true, opacity: 0.16, depthWrite: false });
        const mesh = new Mesh(geometry, material);
        mesh.frustumCulled = false;
        mesh.renderOrder = 3;
        this.group.add(mesh);
      }
    }
    this.halo.array.set(halo);
    this.halo.needsUpdate = true;
  }

  paint(vertices, first, style) {
    if (style.colour === "thickness") this.template.thickness(vertices, this.values);
    else displacement(vertices, first, this.values);
    const [low, high] = style.range;
    const rgb = this.colour.array;
    for (let i = 0; i < this.values.length; i += 1) {
      colourAt((this.values[i] - low) / (high - low), rgb, 3 * i);
    }
    this.colour.needsUpdate = true;
  }

  /** Fill what the plane cuts open. */
  cap(vertices, style) {
    for (const child of [...this.caps.children]) {
      child.geometry.dispose();
      this.caps.remove(child);
    }
    if (!style.cutting) return;
    const [cavity, outer, right] = this.template.closed.map((faces) =>
      section(vertices, faces, 2, style.level),
    );
    const shapes = outer.map((line) => shapeOf(line));
    for (const line of cavity) if (shapes[0]) shapes[0].holes.push(shapeOf(line));
    const filled = [
      [shapes, "myo"],
      [cavity.map(shapeOf), "lv"],
      [right.map(shapeOf), "rv"],
    ];
    for (const [outlines, name] of filled) {
      for (const outline of outlines) {
        const geometry = new ShapeGeometry(outline, 1);
        const mesh = new Mesh(geometry, Body.capLook[name]);
        mesh.position.z = style.level;
        mesh.renderOrder = 3;
        const edge = new LineLoop(new BufferGeometry().setFromPoints(outline.getPoints()), Body.edgeLook);
        edge.position.z = style.level + 0.15;
        edge.renderOrder = 4;
        this.caps.add(mesh, edge);
      }
    }
  }
}
Body.capLook = Object.fromEntries(
  ["lv", "myo", "rv"].map((name) => {
    const colour = new Color(COLOURS[name]).lerp(new Color("#ffffff"), 0.22);
    return [name, new MeshBasicMaterial({ color: colour, side: DoubleSide })];
  }),
);
Body.edgeLook = new LineBasicMaterial({ color: "#3a3330", transparent: true, opacity: 0.55 });

function shapeOf(line) {
  const points = [];
  for (let i = 0; i < line.length; i += 2) points.push(new Vector2(line[i], line[i + 1]));
  return new Shape(points);
}

export class Stage {
  /** @param canvas where it is drawn. Throws where there is no WebGL. */
  constructor(canvas, template, vertexCount) {
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, antialias: true });
    this.renderer.localClippingEnabled = true;
    this.renderer.setScissorTest(true);
    this.template = template;
    this.vertexCount = vertexCount;
    this.plane = new Plane(new Vector3(0, 0, -1), 1e3);
    this.scene = new Scene();
    this.scene.background = new Color(PAPER);
    this.camera = new PerspectiveCamera(26, 1, 10, 2000);
    this.camera.up.set(0, 0, 1);
    const key = new DirectionalLight("#fff4e8", 2.1);
    key.position.set(-0.6, 0.9, 0.8);
    const fill = new DirectionalLight("#dfe9ff", 0.7);
    fill.position.set(0.9, 0.2, -0.4);
    this.camera.add(key, fill);
    this.scene.add(
      this.camera,
      new HemisphereLight("#ffffff", "#cdbfb2", 1.15),
      new AmbientLight("#ffffff", 0.25),
    );
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enablePan = false;
    this.controls.minDistance = 150;
    this.controls.maxDistance = 900;
    this.bodies = [];
    this.full = Math.min(window.devicePixelRatio || 1, 2);
    this.moving = this.full;
    this.ratio = this.full;
  }

  /** Look from the left and in front, the base up, at hearts whose vertices are given. */
  look(hearts) {
    const low = new Vector3(Infinity, Infinity, Infinity);
    const high = new Vector3(-Infinity, -Infinity, -Infinity);
    const point = new Vector3();
    for (const vertices of hearts) {
      for (let i = 0; i < vertices.length; i += 3) {
        point.fromArray(vertices, i);
        low.min(point);
        high.max(point);
      }
    }
    const middle = low.clone().add(high).multiplyScalar(0.5);
    const distance = 2.45 * Math.max(high.z - low.z, 0.8 * (high.x - low.x));
    this.controls.target.copy(middle);
    this.camera.position.copy(middle).addScaledVector(new Vector3(0.37, -0.87, 0.34).normalize(), distance);
    this.controls.update();
  }

  /** Turn by angles in rad about the long axis and towards the base, and come nearer or go away. */
  orbit(across, down, zoom) {
    const offset = this.camera.position.clone().sub(this.controls.target);
    const turn = new Spherical().setFromVector3(new Vector3(offset.x, offset.z, -offset.y));
    turn.theta += across;
    turn.phi = Math.min(Math.max(turn.phi + down, 0.05), Math.PI - 0.05);
    turn.radius = Math.min(Math.max(turn.radius * zoom, 150), 900);
    const moved = new Vector3().setFromSpherical(turn);
    this.camera.position.copy(this.controls.target).add(new Vector3(moved.x, -moved.z, moved.y));
    this.controls.update();
  }

  /** As many hearts as are shown. */
  resize(count) {
    while (this.bodies.length < count) {
      const body = new Body(this.template, this.vertexCount, this.plane);
      this.bodies.push(body);
      this.scene.add(body.group);
    }
    this.count = count;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.renderer.setPixelRatio(this.ratio);
    this.renderer.setSize(width, height, false);
  }

  /** Where hearts stand: [x, y, width, height] in CSS pixels from the lower left. */
  places() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const columns = width >= height ? this.count : Math.ceil(this.count / 2);
    const across = this.count <= 1 ? 1 : Math.max(2, Math.min(columns, 3));
    const down = Math.ceil(this.count / across);
    return Array.from({ length: this.count }, (_, k) => [
      ((k % across) * width) / across,
      height - ((Math.floor(k / across) + 1) * height) / down,
      width / across,
      height / down,
    ]);
  }

  /**
   * Draw every heart.
   * @param moments [{vertices, first}], one a heart
   * @param style {colour, range, glass, cutting, level}
   */
  draw(moments, style) {
    this.plane.constant = style.cutting ? style.level : 1e3;
    const places = this.places();
    for (const [k, moment] of moments.entries()) {
      this.bodies[k].show(moment.vertices, moment.first, style);
      this.bodies[k].surround(moment.halo);
    }
    for (const [k, [x, y, width, height]] of places.entries()) {
      for (const [i, body] of this.bodies.entries()) body.group.visible = i === k;
      this.camera.aspect = width / height;
      // what is narrow sees as far to the sides as what is a little wider than high
      const tall = Math.max(1, 1.25 / this.camera.aspect);
      this.camera.fov = (360 / Math.PI) * Math.atan(Math.tan((13 * Math.PI) / 180) * tall);
      this.camera.updateProjectionMatrix();
      this.renderer.setViewport(x, y, width, height);
      this.renderer.setScissor(x, y, width, height);
      this.renderer.render(this.scene, this.camera);
    }
  }

  /** Fewer pixels while it beats where a machine draws few frames a second; all of them while it stands. */
  adapt(clock) {
    let wanted = clock.playing ? this.moving : this.full;
    if (clock.playing && clock.drawn.length >= 12 && clock.rate < 20 && wanted > 0.5) {
      wanted = Math.max(0.5, 0.75 * wanted);
      clock.drawn = [];
    }
    if (clock.playing) this.moving = wanted;
    if (wanted === this.ratio) return;
    this.ratio = wanted;
    this.resize(this.count);
  }
}
